"""Documents of AsyncAPI → facts: what a service sends and hears (AsyncAPI 2 and 3)."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shoal.check.finding import Place
from shoal.check.importing.facts import Facts, Message, Unit
from shoal.check.importing.naming import about
from shoal.check.importing.tree import Document, Node

_VERSION = re.compile(r"(?:^|[./_:-])v(?P<digits>\d+)(?:$|[./_:-])|(?<=[a-z])V(?P<capital>\d+)(?:$|[A-Z_])")
_TELLING = ("dataschema", "schemaVersion", "schema_version", "version", "eventVersion", "event_version")
"""Headers and fields that say which version of a message it is."""

_TYPES = ("type", "ce_type")
"""Those that say it where what they hold ends in one (CloudEvents)."""

_REFERENCES = 20
"""How far ``$ref`` is followed."""


def is_one(root: Node) -> bool:
    """Tell whether a document is of this kind."""
    return bool(root.at("asyncapi").text)


def read(documents: Sequence[Document], units: Sequence[Unit]) -> Facts:
    """Read what documents of AsyncAPI tell.

    Args:
        documents: They.
        units: What is known to run, of which each document may describe one.
    """
    titles: dict[str, Place] = {}
    found: list[Message] = []
    for document in documents:
        service = about(document, units, ())
        titles.setdefault(service, document.root.key("info"))
        found += _Reader(service, document.root).messages()
    return Facts(forms=frozenset({"asyncapi"}) if documents else frozenset(), messages=tuple(found), titles=titles)


class _Told(NamedTuple):
    name: str
    node: Node
    where: Place


class _Reader:
    """Reads one document."""

    def __init__(self, service: str, root: Node) -> None:
        self._service, self._root = service, root

    def messages(self) -> Iterator[Message]:
        """List every message of every channel, once each."""
        seen: set[tuple[str, str]] = set()
        directions = self._directions()
        for channel, node in self._root.at("channels").fields.items():
            address = node.at("address").text or channel
            for told, sent in self._of(channel, node, directions):
                if (told.name, address) in seen:
                    continue
                seen.add((told.name, address))
                yield Message(
                    service=self._service,
                    name=told.name,
                    channel=address,
                    where=told.where,
                    sent=sent,
                    version=self._version(told, address),
                )

    def _of(self, channel: str, node: Node, directions: dict[str, bool]) -> Iterator[tuple[_Told, bool | None]]:
        """List the messages of a channel. In version 2 who publishes is the other side ("Publish operation")."""
        messages = node.at("messages")
        for name, message in messages.fields.items():
            yield self._told(name, message, messages.key(name)), directions.get(channel)
        for word, sent in (("publish", False), ("subscribe", True)):
            message = node.at(word, "message")
            for one in message.at("oneOf") or filter(None, [message]):
                yield self._told("", one, one.where), sent

    def _directions(self) -> dict[str, bool]:
        """Map the channels of version 3 to whether the service sends on them."""
        found: dict[str, bool] = {}
        for operation in self._root.at("operations").fields.values():
            channel = operation.at("channel", "$ref").text.rpartition("/")[2]
            found[channel] = operation.at("action").text == "send"
        return found

    def _told(self, name: str, node: Node, where: Place) -> _Told:
        reference = node.at("$ref").text.rpartition("/")[2]
        message = self._followed(node)
        return _Told(message.at("name").text or reference or name or message.at("title").text, message, where)

    def _followed(self, node: Node) -> Node:
        """Follow references within the document; what lies in another one is not read."""
        for _ in range(_REFERENCES):
            reference = node.at("$ref").text
            if not reference.startswith("#/"):
                break
            node = self._root.at(*(part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")))
        return node

    def _version(self, told: _Told, channel: str) -> str:
        """Find what says the version: the name, the channel, a header or a field of the payload."""
        for text in (told.name, channel, told.node.at("messageId").text):
            if found := _VERSION.search(text):
                return found["digits"] or found["capital"]
        if said := told.node.at("x-version").text or told.node.at("x-schema-version").text:
            return said
        for part in ("headers", "payload"):
            fields = self._followed(self._followed(told.node.at(part)).at("properties"))
            if name := next((name for name in _TELLING if self._followed(fields.at(name))), ""):
                return name
            for field in (self._followed(fields.at(name)) for name in _TYPES):
                values = [field.at("const"), *field.at("enum"), *field.at("examples")]
                if found := next(filter(None, (_VERSION.search(value.text) for value in values)), None):
                    return found["digits"] or found["capital"]
        reference = told.node.at("payload", "$ref").text
        found = _VERSION.search(reference.rpartition("/")[2]) if reference else None
        return (found["digits"] or found["capital"]) if found else ""
