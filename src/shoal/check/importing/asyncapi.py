"""Documents of AsyncAPI → facts: what a service sends and hears (AsyncAPI 2 and 3)."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shoal.check.finding import Place
from shoal.check.importing.facts import Facts, Message, Unit
from shoal.check.importing.naming import Naming
from shoal.check.importing.pointers import Pointers
from shoal.check.importing.reading import Others
from shoal.check.importing.tree import Document, Node

_VERSION = re.compile(
    r"(?:^|[./_:-])v(?P<digits>\d+)(?:$|[./_:-])"
    r"|(?<=[a-z])V(?P<capital>\d+)(?:$|[A-Z_])"
    r"|(?:^|[./])(?P<dotted>\d+[./]\d+)(?:$|[./])"
)
"""As names say it: ``orders.placed.v2``, ``OrderPlacedV2``, ``orders/2/0/placed``."""

_TELLING = ("dataschema", "schemaVersion", "schema_version", "version", "eventVersion", "event_version")
"""Headers and fields that say which version of a message it is."""

_SAYING = (("x-version",), ("x-schema-version",), ("bindings", "kafka", "schemaIdLocation"))
"""Where a message says it: by itself, or where the number of its schema in a registry lies (bindings of Kafka)."""

_TYPES = ("type", "ce_type")
"""Those that say it where what they hold ends in one (CloudEvents)."""

_DIRECT = frozenset({"ws", "wss", "http", "https", "sse", "mercure", "stomp"})
"""Protocols by which a message goes to who is connected now."""

_PARTS = ("allOf", "oneOf", "anyOf")
"""How a schema is put together from others."""


def is_one(root: Node) -> bool:
    """Tell whether a document is of this kind."""
    return bool(root.at("asyncapi").text)


def read(given: Sequence[Document], units: Sequence[Unit], others: Others) -> Facts:
    """Read what documents of AsyncAPI tell.

    Args:
        given: They.
        units: What is known to run, of which each document may describe one.
        others: Reads the files to which references lead.
    """
    titles: dict[str, Place] = {}
    found: list[Message] = []
    naming = Naming(units)
    for document in given:
        service = naming.about(document, ())
        titles.setdefault(service, document.root.key("info"))
        found += _Reader(service, document, others).messages()
    return Facts(forms=frozenset({"asyncapi"}) if given else frozenset(), messages=tuple(found), titles=titles)


class _Told(NamedTuple):
    name: str
    node: Node
    where: Place


class _Reader:
    """Reads one document."""

    def __init__(self, service: str, document: Document, others: Others) -> None:
        self._service, self._root = service, document.root
        self._followed = Pointers(document, others).followed

    def messages(self) -> Iterator[Message]:
        """List every message of every channel, once each; what is part of a conversation is no event."""
        seen: set[tuple[str, str]] = set()
        directions, spoken = self._directions(), self._spoken()
        for channel, said in self._root.at("channels").fields.items():
            node = self._followed(said)
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
        for operation in self._operations():
            channel = _last(operation.at("channel"))
            found[channel] = found.get(channel, False) or operation.at("action").text == "send"
        return found

    def _spoken(self) -> set[str]:
        """List the channels of version 3 on which somebody asks or answers."""
        asked = [operation for operation in self._operations() if operation.at("reply")]
        replies = [self._followed(operation.at("reply")) for operation in asked]
        return {_last(one.at("channel")) for one in (*asked, *replies)}

    def _operations(self) -> list[Node]:
        return [self._followed(operation) for operation in self._root.at("operations").fields.values()]

    def _direct(self, channel: Node) -> bool:
        """Tell whether what is said on a channel goes to who is connected, and is kept no longer."""
        queue = channel.at("bindings", "amqp", "queue")
        if queue.at("exclusive").yes or queue.at("durable").text.lower() == "false":
            return True
        servers = self._root.at("servers")
        named = {one.text or _last(one) for one in channel.at("servers")}
        used = [server for name, server in servers.fields.items() if not named or name in named]
        return bool(used) and all(self._followed(one).at("protocol").text.lower() in _DIRECT for one in used)

    def _told(self, name: str, node: Node, where: Place) -> _Told:
        message = self._followed(node)
        return _Told(message.at("name").text or _last(node) or name or message.at("title").text, message, where)

    def _version(self, told: _Told, channel: str) -> str | None:
        """Find what says the version: the name, the channel, a header or a field; None where not all can be read."""
        for text in (told.name, channel, told.node.at("messageId").text):
            if found := _named(text):
                return found
        for path in _SAYING:
            if said := told.node.at(*path).text:
                return said
        schemas = [*self._schemas(told.node.at("headers")), *self._schemas(told.node.at("payload"))]
        for trait in told.node.at("traits"):
            schemas += self._schemas(self._followed(trait).at("headers"))
        for schema in schemas:
            if found := self._field(schema):
                return found
        if found := _named(_last(told.node.at("payload"))):
            return found
        return None if any(part.at("$ref") for part in (told.node, *schemas)) else ""

    def _schemas(self, node: Node) -> list[Node]:
        """List a schema, and those that it is put together from; of several languages, what is in it."""
        found: dict[Node, None] = {}
        waiting = [node]
        for one in waiting:  # grows while it is read
            schema = self._followed(one)
            schema = self._followed(schema.at("schema")) if schema.at("schemaFormat") else schema
            if schema not in found:
                found[schema] = None
                waiting += [part for word in _PARTS for part in schema.at(word)]
        return list(found)

    def _field(self, schema: Node) -> str:
        """Find a field that says the version, or holds it; empty where there is none."""
        fields = self._followed(schema.at("properties"))
        if name := next((name for name in _TELLING if fields.at(name)), ""):
            return name
        for field in (self._followed(fields.at(name)) for name in _TYPES):
            values = [field.at("const"), *field.at("enum"), *field.at("examples")]
            if found := next(filter(None, (_named(value.text) for value in values)), ""):
                return found
        return ""


def _last(node: Node) -> str:
    """Return the last word of a reference, which is what it leads to is called."""
    return node.at("$ref").text.rpartition("/")[2]


def _named(text: str) -> str:
    """Find the version that a name says; empty where it says none."""
    found = _VERSION.search(text)
    return next(filter(None, found.groups()), "") if found else ""
