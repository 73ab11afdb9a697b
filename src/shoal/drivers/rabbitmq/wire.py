"""Messages as AMQP carries them, and what is declared as a document of a stream. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shoal.drivers.base import Consumer, Message, Stream
from shoal.drivers.base.holding import Letter
from shoal.drivers.base.subjects import covers
from shoal.errors import EngineError

EVENTS = "shoal.events"
"""The exchange that messages are published to, under their subject."""

PLACES = "shoal.places"
"""The exchange that consumers' places are published to, under the stream and the consumer."""

DECLARED = "shoal.declared"
"""The stream whose last message says which streams and consumers there are."""

LARGEST = 1024 * 1024
"""Bytes of the largest message with its headers."""

HEADERS, AT = "shoal", "shoal-at"
"""Headers that carry a message's own, as JSON, and when it was published, in milliseconds since 1970."""

REMOVED = "shoal-removed"
"""Header of a message that says that an earlier one of the same stream is removed; its id is that one's place."""

SEGMENT = 16 * 1024 * 1024
"""Bytes of a file of a stream; a server lets go of whole files only."""

_LONGEST = 255
_SUBJECT = re.compile(r"[^\s.\x00-\x20\x7f*#]+(\.[^\s.\x00-\x20\x7f*#]+)*")
_NAME = re.compile(r"[^\x00-\x20\x7f:]+")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Known(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stream that is declared."""

    stream: Stream
    made: str
    """Another one whenever it is made anew."""


class Declared(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that is declared."""

    streams: tuple[Known, ...] = ()
    consumers: tuple[Consumer, ...] = ()

    def stream(self, name: str) -> Known | None:
        """Look a stream up."""
        return next((known for known in self.streams if known.stream.name == name), None)

    def consumer(self, stream: str, name: str) -> Consumer | None:
        """Look a consumer up."""
        return next((c for c in self.consumers if (c.stream, c.name) == (stream, name)), None)

    def taker(self, subject: str) -> Known | None:
        """Find the stream that takes a subject."""
        return next((known for known in self.streams if covers(known.stream.subjects, subject)), None)


class Place(msgspec.Struct, frozen=True):
    """How far a consumer has come."""

    made: str = ""
    next: int = 0
    """Offset of the first message that is not answered."""


def place_key(consumer: Consumer) -> str:
    """Name a consumer among all."""
    return f"{consumer.stream}.{consumer.name}"


def place_queue(consumer: Consumer) -> str:
    """Name the stream whose last message is a consumer's place."""
    return f"place.{place_key(consumer)}"


def pattern(subject: str) -> str:
    """Write a pattern of subjects as AMQP does: ``*`` is one word in both, and a last ``>`` is one or more."""
    return subject[:-1] + "*.#" if subject.endswith(">") else subject


def settings(stream: Stream) -> dict[str, Any]:
    """Describe the queue of a stream."""
    kept = {} if keeps(stream) else {"x-max-age": f"{max(1, round(stream.age))}s"}
    return {"x-queue-type": "stream", "x-stream-max-segment-size-bytes": SEGMENT, **kept}


def keeps(stream: Stream) -> bool:
    """Tell whether messages stay until they are removed."""
    return stream.age <= 0


def check(message: Message, stream: Stream) -> None:
    """Raise `EngineError` for what a message of AMQP cannot carry or its stream does not take."""
    if not _SUBJECT.fullmatch(message.subject) or len(message.subject.encode()) > _LONGEST:
        raise EngineError(f"{message.subject!r} is no subject", hint="use words, separated by dots, 255 bytes in all")
    if len(message.id.encode()) > _LONGEST:
        raise EngineError(f"the id {message.id!r} is too long", hint="use at most 255 bytes")
    for name, value in message.headers.items():
        if not _PLAIN.fullmatch(value) or not _NAME.fullmatch(name) or len(name.encode()) > _LONGEST:
            raise EngineError(
                f"the header {name!r} of message {message.id!r} has a control character, or too long a name",
                hint="keep names and values of headers on one line",
            )
    size = len(message.body) + sum(len(n.encode()) + len(v.encode()) for n, v in message.headers.items())
    most = min(stream.largest or LARGEST, LARGEST)
    if size > most:
        raise EngineError(
            f"message {message.id} for {message.subject} has {size} bytes with its headers; its stream takes {most}",
            hint="keep large content elsewhere and send its address",
        )


def headers(message: Message, now: datetime) -> dict[str, Any]:
    """Write the headers of a message."""
    own = msgspec.json.encode(dict(message.headers)).decode()
    return {AT: round((now - _BEGINNING).total_seconds() * 1000), HEADERS: own}


def letter(offset: int, subject: str, identity: str, given: Mapping[str, Any], body: bytes) -> Letter:
    """Read a message; one that something else wrote is named after its place."""
    stamp = given.get(AT)
    at = _BEGINNING + timedelta(milliseconds=stamp if isinstance(stamp, int) else 0)
    named = _named(given.get(HEADERS))
    identity = identity or f"message {offset}"
    if given.get(REMOVED):
        return Letter(offset, at, None, identity)
    return Letter(offset, at, Message(id=identity, subject=subject, body=body, headers=named), identity)


def _named(text: object) -> dict[str, str]:
    try:
        return msgspec.json.decode(text, type=dict[str, str]) if isinstance(text, str) else {}
    except msgspec.MsgspecError:
        return {}


def declared(body: bytes) -> Declared:
    """Read what is declared; nothing when it cannot be read."""
    try:
        return msgspec.json.decode(body, type=Declared)
    except msgspec.MsgspecError:
        return Declared()


def place(body: bytes) -> Place:
    """Read a place; the beginning when it cannot be read."""
    try:
        return msgspec.json.decode(body, type=Place)
    except msgspec.MsgspecError:
        return Place()


def merged(before: Declared, streams: Sequence[Known], consumers: Sequence[Consumer]) -> Declared:
    """Add what is declared, in place of what had its name."""
    by_name = {known.stream.name: known for known in (*before.streams, *streams)}
    by_key = {place_key(consumer): consumer for consumer in (*before.consumers, *consumers)}
    return Declared(streams=tuple(by_name.values()), consumers=tuple(by_key.values()))
