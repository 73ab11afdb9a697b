"""Messages as records, and what is declared as records of a topic. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from shoal.drivers.base import Consumer, Message, Stream
from shoal.drivers.base.holding import Letter
from shoal.errors import EngineError

DECLARED = "shoal.declared"
"""The topic that says which streams and consumers there are: a broker of this protocol knows neither subjects nor
consumers without members."""

ID, SUBJECT = "shoal-id", "shoal-subject"
"""Headers that carry what a record has no place for."""

LARGEST = 1000 * 1000
"""Bytes of the largest message with its headers: brokers take 1,048,588 of a whole batch (``message.max.bytes``)."""

TOO_LARGE = (10, 18)
"""Errors that say that a batch is larger than the topic takes (Kafka protocol, error codes)."""

INVALID = (32, 87)
"""Errors that say that a record is not what the topic takes."""

FORBIDDEN = (29, 30, 31)
"""Errors that say that the user may not."""

_SUBJECT = re.compile(r"[^\s.\x00-\x20\x7f]+(\.[^\s.\x00-\x20\x7f]+)*")
_NAME = re.compile(r"[^\x00-\x20\x7f:]+")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Parts = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value and headers of a record."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record of what is declared."""

    stream: Stream | None = None
    consumer: Consumer | None = None

    @property
    def key(self) -> str:
        """What a later entry replaces."""
        if self.consumer is not None:
            return f"{self.consumer.stream} {self.consumer.name}"
        return self.stream.name if self.stream is not None else ""


def group(consumer: Consumer) -> str:
    """Name the group that keeps a consumer's offset."""
    return f"{consumer.stream}.{consumer.name}"


def keeps(stream: Stream) -> bool:
    """Tell whether messages stay until they are removed, so that a record's key is its message's id."""
    return stream.age <= 0


def settings(stream: Stream, copies: int) -> dict[str, str]:
    """Describe the topic of a stream: nothing that was acknowledged is given up to be sooner available again."""
    kept = {"cleanup.policy": "compact"} if keeps(stream) else {"retention.ms": str(round(stream.age * 1000))}
    return {
        **kept,
        "message.timestamp.type": "LogAppendTime",
        "unclean.leader.election.enable": "false",
        "min.insync.replicas": str(min(2, copies)),
    }


def record(message: Message, stream: Stream) -> Parts:
    """Write a message; raises `EngineError` for one that a record cannot carry or its stream does not take."""
    if not _SUBJECT.fullmatch(message.subject):
        raise EngineError(f"{message.subject!r} is no subject", hint="use words, separated by dots")
    for name, value in message.headers.items():
        if not _PLAIN.fullmatch(value) or not _NAME.fullmatch(name):
            raise EngineError(
                f"the header {name!r} of message {message.id!r} has a control character",
                hint="keep names and values of headers on one line",
            )
    named = {ID: message.id, SUBJECT: message.subject, **message.headers}
    headers = [(name, value.encode()) for name, value in named.items()]
    size = len(message.body) + sum(len(name.encode()) + len(value) for name, value in headers)
    most = min(stream.largest or LARGEST, LARGEST)
    if size > most:
        raise EngineError(
            f"message {message.id} for {message.subject} has {size} bytes with its headers; its stream takes {most}",
            hint="keep large content elsewhere and send its address",
        )
    key = message.id if keeps(stream) else message.key
    return key.encode() or None, message.body, headers


def end_of(identity: str) -> Parts:
    """Write that a message is removed: an empty record under its key, which compaction replaces both by nothing."""
    return identity.encode(), None, ()


def size(parts: Parts) -> int:
    """Count the bytes of a record, with what frames it at most."""
    key, value, headers = parts
    return 64 + len(key or b"") + len(value or b"") + sum(len(name) + len(text) + 16 for name, text in headers)


def letter(
    offset: int, timestamp: int, parts: tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]
) -> Letter:
    """Read a record; one that something else wrote is named after its place, and has no subject that anybody hears."""
    key, value, headers = parts
    at = _BEGINNING + timedelta(milliseconds=timestamp)
    if value is None:
        return Letter(offset, at, None, (key or b"").decode("utf-8", "replace"))
    found = {name: (text or b"").decode("utf-8", "replace") for name, text in headers}
    identity = found.pop(ID, "") or f"record {offset}"
    subject = found.pop(SUBJECT, "")
    return Letter(offset, at, Message(id=identity, subject=subject, body=bytes(value), headers=found), identity)


def entry(value: bytes | None) -> Entry | None:
    """Read what is declared; None for what is no longer, or cannot be read."""
    try:
        return msgspec.json.decode(value, type=Entry) if value else None
    except msgspec.MsgspecError:
        return None


def written(declared: Entry) -> Parts:
    """Write what is declared."""
    return declared.key.encode(), msgspec.json.encode(declared), ()
