"""The management of a namespace, which speaks Atom over HTTP: topics, subscriptions, rules. The operator's only.

Source: Service Bus REST reference, "Entities", version 2021-05. The order of elements is that of the reference, since
Service Bus passes over what stands elsewhere.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring

from shoal.drivers.base.rest import Reply
from shoal.drivers.servicebus.link import Link
from shoal.drivers.servicebus.meaning import Gone, Untaken
from shoal.errors import EngineError, Unavailable, Undeclared

VERSION = "api-version=2021-05"
PAGE = 100

ATOM = "http://www.w3.org/2005/Atom"
SERVICE = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

_ENTRY = "application/atom+xml;type=entry;charset=utf-8"
_HINT = "give the operator the right to manage the namespace"
_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)

Fields = Mapping[str, str]


class Exists(EngineError):
    """Say that what was to be made is there."""


class Atom:
    """Makes, changes and reads what a namespace has."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def make(self, path: str, description: Element) -> None:
        """Make something.

        Raises:
            Exists: It is there.
            EngineError: It is refused, or there is no answer.
        """
        await self._ask("PUT", path, _document(description))

    async def take_away(self, path: str) -> None:
        """Delete something; what is gone is passed over."""
        try:
            await self._ask("DELETE", path)
        except Gone:
            return

    async def list(self, path: str) -> Mapping[str, Fields]:
        """List what there is, by name, each with the texts of its description; raises as `make` does."""
        found: dict[str, Fields] = {}
        while True:
            try:
                feed = await self._ask("GET", path, query=f"&$skip={len(found)}&$top={PAGE}")
            except Gone:
                return found
            entries = feed.findall(f"{{{ATOM}}}entry") if feed is not None else []
            for entry in entries:
                found[entry.findtext(f"{{{ATOM}}}title", "")] = _fields(entry)
            if len(entries) < PAGE:
                return found

    async def _ask(self, method: str, path: str, body: bytes = b"", query: str = "") -> Element | None:
        link, resource = self._link, f"{self._link.address.management}/{quote(path, safe='/$')}"
        said = await link.rights.headers(resource)
        if body:
            said["content-type"] = _ENTRY
        reply = await link.rest.ask(method, f"{resource}?{VERSION}{query}", said, body)
        if reply.status >= 300:
            raise self._meaning(f"{method} {path}", reply)
        return _read(reply) if reply.body else None

    def _meaning(self, what: str, reply: Reply) -> EngineError | Undeclared:
        said = f"{self._link.place} refused {what}: {reply.status} {_detail(reply)}".rstrip()
        if reply.status in (401, 403):
            self._link.rights.forget()
            return Undeclared(said, hint=_HINT)
        if reply.status == 404:
            return Gone(said, hint="declare it first")
        if reply.status == 409:
            return Exists(said)
        if reply.status >= 500 or reply.status in (408, 429):
            return Unavailable(said, hint="it is tried again")
        return Untaken(said)


def topic(ttl: float) -> Element:
    """Describe a topic that keeps messages for so many seconds; for ever when 0."""
    found = Element(f"{{{SERVICE}}}TopicDescription")
    if ttl > 0:
        _text(found, "DefaultMessageTimeToLive", duration(ttl))
    _text(found, "SupportOrdering", "true")
    return found


def subscription(lock: float, deliveries: int, ttl: float) -> Element:
    """Describe a subscription with sessions; to begin with, everything comes."""
    found = Element(f"{{{SERVICE}}}SubscriptionDescription")
    _text(found, "LockDuration", duration(lock))
    _text(found, "RequiresSession", "true")
    if ttl > 0:
        _text(found, "DefaultMessageTimeToLive", duration(ttl))
    _text(found, "MaxDeliveryCount", str(deliveries))
    return found


def rule(name: str, subject: str) -> Element:
    """Describe a rule that lets through one subject, or everything when that is empty."""
    found = Element(f"{{{SERVICE}}}RuleDescription")
    kind = "CorrelationFilter" if subject else "TrueFilter"
    through = SubElement(found, f"{{{SERVICE}}}Filter", {f"{{{INSTANCE}}}type": kind})
    if subject:
        _text(through, "Label", subject)
    else:
        _text(through, "SqlExpression", "1=1")
        _text(through, "CompatibilityLevel", "20")
    SubElement(found, f"{{{SERVICE}}}Action", {f"{{{INSTANCE}}}type": "EmptyRuleAction"})
    _text(found, "Name", name)
    return found


def duration(seconds: float) -> str:
    """Write seconds as XML does."""
    return f"PT{seconds:g}S" if seconds < 60 else f"PT{int(seconds)}S"


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, f"{{{SERVICE}}}{name}").text = text


def _document(description: Element) -> bytes:
    entry = Element(f"{{{ATOM}}}entry")
    SubElement(entry, f"{{{ATOM}}}content", {"type": "application/xml"}).append(description)
    return bytes(tostring(entry, "utf-8", xml_declaration=True))


def _read(reply: Reply) -> Element | None:
    """Read an answer; one that declares entities of XML is none of Service Bus's."""
    if _DOCTYPE.search(reply.body):
        raise EngineError("Service Bus answers with XML that declares something of its own")
    try:
        return fromstring(reply.body)  # noqa: S314 - nothing can be expanded that is not declared
    except ParseError:
        return None


def _fields(entry: Element) -> Fields:
    return {each.tag.rpartition("}")[2]: (each.text or "").strip() for each in entry.iter() if not len(each)}


def _detail(reply: Reply) -> str:
    try:
        found = _read(reply)
    except EngineError:
        return ""
    return (found.findtext("Detail") or "") if found is not None else ""


def count(fields: Fields) -> int:
    """Say how many messages a subscription has that nobody has answered."""
    text = fields.get("ActiveMessageCount", "0")
    return int(text) if text.isdigit() else 0
