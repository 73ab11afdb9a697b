"""Documents of AsyncAPI → facts: what a service sends and hears (AsyncAPI 2 and 3)."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shoal.check.finding import Place
from shoal.check.importing.facts import Facts, Message, Unit
from shoal.check.importing.naming import about
from shoal.check.importing.reading import documents
from shoal.check.importing.tree import Beside, Document, Node
from shoal.errors import DeclarationError

_VERSION = re.compile(
    r"(?:^|[./_:-])v(?P<digits>\d+)(?:$|[./_:-])"
    r"|(?<=[a-z])V(?P<capital>\d+)(?:$|[A-Z_])"
    r"|(?:^|[./])(?P<dotted>\d+[./]\d+)(?:$|[./])"
)
"""As names say it: ``orders.placed.v2``, ``OrderPlacedV2``, ``orders/2/0/placed``."""

_TELLING = ("dataschema", "schemaVersion", "schema_version", "version", "eventVersion", "event_version")
"""Headers and fields that say which version of a message it is."""

_TYPES = ("type", "ce_type")
"""Those that say it where what they hold ends in one (CloudEvents)."""

_DIRECT = frozenset({"ws", "wss", "http", "https", "sse", "mercure", "stomp"})
"""Protocols by which a message goes to who is connected now."""

_REFERENCES = 20
"""How far ``$ref`` is followed."""


def is_one(root: Node) -> bool:
    """Tell whether a document is of this kind."""
    return bool(root.at("asyncapi").text)


def read(given: Sequence[Document], units: Sequence[Unit], beside: Beside) -> Facts:
    """Read what documents of AsyncAPI tell.

    Args:
        given: They.
        units: What is known to run, of which each document may describe one.
        beside: Finds the text of a file to which a reference leads.
    """
    titles: dict[str, Place] = {}
    found: list[Message] = []
    for document in given:
        service = about(document, units, ())
        titles.setdefault(service, document.root.key("info"))
        found += _Reader(service, document, beside).messages()
    return Facts(forms=frozenset({"asyncapi"}) if given else frozenset(), messages=tuple(found), titles=titles)


class _Told(NamedTuple):
    name: str
    node: Node
    where: Place


class _Reader:
    """Reads one document."""

    def __init__(self, service: str, document: Document, beside: Beside) -> None:
        self._service, self._root, self._beside = service, document.root, beside
        self._files: dict[str, Node | None] = {document.path: document.root}

    def messages(self) -> Iterator[Message]:
        """List every message of every channel, once each; what is part of a conversation is no event."""
        seen: set[tuple[str, str]] = set()
        directions, spoken = self._directions(), self._spoken()
        for channel, node in self._root.at("channels").fields.items():
            if channel in spoken or self._direct(node):
                continue
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

    def _spoken(self) -> set[str]:
        """List the channels of version 3 on which somebody asks or answers."""
        asked = [operation for operation in self._root.at("operations").fields.values() if operation.at("reply")]
        ways = [way for one in asked for way in (one.at("channel", "$ref"), one.at("reply", "channel", "$ref"))]
        return {way.text.rpartition("/")[2] for way in ways}

    def _direct(self, channel: Node) -> bool:
        """Tell whether what is said on a channel goes to who is connected, and is kept no longer."""
        queue = channel.at("bindings", "amqp", "queue")
        if queue.at("exclusive").yes or queue.at("durable").text.lower() == "false":
            return True
        servers = self._root.at("servers")
        named = {one.text or one.at("$ref").text.rpartition("/")[2] for one in channel.at("servers")}
        used = [server for name, server in servers.fields.items() if not named or name in named]
        return bool(used) and all(self._followed(one).at("protocol").text.lower() in _DIRECT for one in used)

    def _told(self, name: str, node: Node, where: Place) -> _Told:
        reference = node.at("$ref").text.rpartition("/")[2]
        message = self._followed(node)
        return _Told(message.at("name").text or reference or name or message.at("title").text, message, where)

    def _followed(self, node: Node) -> Node:
        """Follow references, also into other files; what nobody can follow is returned as it is."""
        for _ in range(_REFERENCES):
            path, _, pointer = node.at("$ref").text.partition("#")
            root = self._file(path, node.where.file) if path or pointer else None
            if root is None:
                break
            node = root.at(*(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]))
        return node

    def _file(self, path: str, near: str) -> Node | None:
        """Read the file that a reference names; the one in which it stands where it names none."""
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(near), path)) if path else near
        if whole not in self._files:
            text = None if "://" in path else self._beside(whole)
            try:
                found = next(iter(documents(whole, text)), None) if text is not None else None
            except DeclarationError:
                found = None
            self._files[whole] = found.root if found else None
        return self._files[whole]

    def _version(self, told: _Told, channel: str) -> str | None:
        """Find what says the version: the name, the channel, a header or a field; None where not all can be read."""
        for text in (told.name, channel, told.node.at("messageId").text):
            if found := _named(text):
                return found
        if said := told.node.at("x-version").text or told.node.at("x-schema-version").text:
            return said
        for part in ("headers", "payload"):
            fields = self._followed(self._followed(told.node.at(part)).at("properties"))
            if name := next((name for name in _TELLING if self._followed(fields.at(name))), ""):
                return name
            for field in (self._followed(fields.at(name)) for name in _TYPES):
                values = [field.at("const"), *field.at("enum"), *field.at("examples")]
                if found := next(filter(None, (_named(value.text) for value in values)), ""):
                    return found
        if found := _named(told.node.at("payload", "$ref").text.rpartition("/")[2]):
            return found
        parts = (told.node, *(self._followed(told.node.at(part)) for part in ("headers", "payload")))
        return None if any(part.at("$ref") for part in parts) else ""


def _named(text: str) -> str:
    """Find the version that a name says; empty where it says none."""
    found = _VERSION.search(text)
    return next(filter(None, found.groups()), "") if found else ""
