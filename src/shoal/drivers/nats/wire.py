"""What JetStream writes and reads: requests, acknowledgements, and the metadata in a reply subject. Pure."""

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import msgspec

from shoal.drivers.base import Consumer, Message, Position
from shoal.errors import EngineError

MESSAGE_ID = "Nats-Msg-Id"
EXPECTED = "Nats-Expected-Last-Sequence"
"""Header by which a stream drops what it already stored (JetStream, de-duplication)."""

STATUS = "Status"
DESCRIPTION = "Description"
NO_RESPONDERS = "503"
NOTHING_THERE = ("404", "408")
"""The end of a pull: no messages are left, or none came in time."""

READ = ("204", "404")
"""The end of a direct read: all that was asked for, or nothing is left."""

SEQUENCE, STREAM, SUBJECT, AT = "Nats-Sequence", "Nats-Stream", "Nats-Subject", "Nats-Time-Stamp"
"""Headers by which a direct read says where a message lies."""

RESERVED = "Nats-"
"""Headers that begin so are between a publisher and the server. Sent again they would count again: a letter that is
expected in the stream of its message is stored nowhere."""

ACK = b"+ACK"
PROGRESS = b"+WPI"
DROP = b"+TERM"
GIVE_BACK = b"-NAK"

_NANOSECONDS = 1_000_000_000
_SHORT_REPLY = 9
_NAME = re.compile(r"[^\x00-\x20\x7f:]+")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")


class Fault(msgspec.Struct, frozen=True):
    """Why JetStream refused a request."""

    code: int = 0
    err_code: int = 0
    description: str = ""


UNACCEPTABLE = (10054, 10097)
"""Codes of refusals that will not pass: the message, or its headers, are larger than the stream takes."""

STREAM_EXISTS = 10058
STREAM_NOT_FOUND = 10059
WRONG_LAST_SEQUENCE = 10071
GONE = (10043, 10057)
"""Codes of a message that a stream no longer holds, and of a place that it never came to."""

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of the messages of one fetch; more than any stream takes in one message."""


class Answer(msgspec.Struct, frozen=True):
    """Answer to a request; `error` when it was refused."""

    error: Fault | None = None


class Stored(Answer, frozen=True):
    """Answer to a publication."""

    seq: int = 0
    duplicate: bool = False


class StreamState(msgspec.Struct, frozen=True):
    """What a stream holds."""

    messages: int = 0
    last_seq: int = 0


class StreamConfig(msgspec.Struct, frozen=True):
    """How a stream is set up, as far as it is read."""

    name: str = ""


class StreamInfo(Answer, frozen=True):
    """Answer to ``STREAM.INFO``, and one entry of ``STREAM.LIST``."""

    config: StreamConfig = StreamConfig()
    state: StreamState = StreamState()
    created: str = ""

    @property
    def position(self) -> Position:
        """How far it has come."""
        return Position(last=self.state.last_seq, count=self.state.messages, made=self.created)


class StreamList(Answer, frozen=True):
    """One page of ``STREAM.LIST``."""

    total: int = 0
    streams: tuple[StreamInfo, ...] | None = None


class ConsumerInfo(msgspec.Struct, frozen=True):
    """One entry of ``CONSUMER.LIST``."""

    name: str
    num_pending: int = 0
    num_ack_pending: int = 0


class ConsumerList(Answer, frozen=True):
    """One page of ``CONSUMER.LIST``."""

    total: int = 0
    consumers: tuple[ConsumerInfo, ...] | None = None


class Names(Answer, frozen=True):
    """One page of ``STREAM.NAMES`` or ``CONSUMER.NAMES``."""

    total: int = 0
    streams: tuple[str, ...] | None = None
    consumers: tuple[str, ...] | None = None


A = TypeVar("A", bound=Answer)

_stored = msgspec.json.Decoder(Stored)


def stored(data: bytes) -> Stored:
    """Read the answer to a publication; anything unreadable is a refusal."""
    try:
        return _stored.decode(data)
    except msgspec.MsgspecError:
        return Stored(error=_UNREADABLE)


def answer(data: bytes, kind: type[A]) -> A:
    """Read the answer to a request; anything unreadable is a refusal."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError:
        return kind(error=_UNREADABLE)


_UNREADABLE = Fault(description="an unreadable answer")


def next_subject(consumer: Consumer) -> str:
    """Name the subject at which a durable consumer is asked for messages."""
    return f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.name}"


def pull(limit: int, wait: float) -> bytes:
    """Ask for what is there, or if nothing is, for what comes first within `wait` seconds."""
    # With both fields the server waits for a first message, sends what it has by then, and ends the request.
    expires = max(1_000_000, round(wait * _NANOSECONDS))
    return msgspec.json.encode({"batch": limit, "expires": expires, "no_wait": True, "max_bytes": MOST_BYTES})


class Metadata(NamedTuple):
    """What the reply subject of a delivery says: ``$JS.ACK.[domain.account.]stream.consumer.deliveries.…``."""

    stream: str
    sequence: int
    number: int
    at: int
    """Nanoseconds since 1970."""


def metadata(reply: str) -> Metadata:
    """Read the reply subject of a delivery."""
    tokens = reply.split(".")
    first = 2 if len(tokens) == _SHORT_REPLY else 4
    return Metadata(tokens[first], *map(int, tokens[first + 3 : first + 6]))


def headers(message: Message, after: int | None = None) -> dict[str, str]:
    """Return the headers of a message and its id; a line break could forge a header and is refused.

    Args:
        message: What is to be stored.
        after: The place behind which it is to stand (``Nats-Expected-Last-Sequence``).
    """
    named = {MESSAGE_ID: message.id, **message.headers}
    if after is not None:
        named[EXPECTED] = str(after)
    for name, value in named.items():
        if not _PLAIN.fullmatch(value) or not _NAME.fullmatch(name):
            raise EngineError(
                f"the header {name!r} of message {message.id!r} has a control character",
                hint="keep names and values of headers on one line",
            )
    return named


def message(subject: str, meta: Metadata, data: bytes, received: Mapping[str, str] | None) -> Message:
    """Read a delivered message; one that was published without an id is named after its place in the stream."""
    found = received or {}
    kept = {name: value for name, value in found.items() if not name.startswith(RESERVED)}
    identity = found.get(MESSAGE_ID) or f"{meta.stream}.{meta.sequence}"
    return Message(id=identity, subject=subject, body=data, headers=kept)
