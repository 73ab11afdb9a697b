"""What JetStream writes and reads: requests, acknowledgements, and the metadata in a reply subject. Pure."""

import re
from collections.abc import Mapping

import msgspec

from shoal.drivers.base import Consumer, Message

MESSAGE_ID = "Nats-Msg-Id"
"""Header by which a stream drops what it already stored (JetStream, de-duplication)."""

STATUS = "Status"
DESCRIPTION = "Description"
NO_RESPONDERS = "503"
NOTHING_THERE = ("404", "408")
"""The end of a pull: no messages are left, or none came in time."""

ACK = b"+ACK"
PROGRESS = b"+WPI"
DROP = b"+TERM"
RETRY_NOW = b"-NAK"

_NANOSECONDS = 1_000_000_000
_SHORT_REPLY = 9
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")


class Fault(msgspec.Struct, frozen=True):
    """Why JetStream refused a request."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class Answer(msgspec.Struct, frozen=True):
    """Answer to a publication or a request; `error` when it was refused."""

    error: Fault | None = None


_answers = msgspec.json.Decoder(Answer)


def answer(data: bytes) -> Answer:
    """Read an answer; anything unreadable is a refusal."""
    try:
        return _answers.decode(data)
    except msgspec.DecodeError:
        return Answer(error=Fault(description="an unreadable answer"))


def next_subject(consumer: Consumer) -> str:
    """Name the subject at which a durable consumer is asked for messages."""
    return f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.name}"


def pull(limit: int, wait: float) -> bytes:
    """Ask for what is there, or if nothing is, for what comes first within `wait` seconds."""
    # With both fields the server waits for a first message, sends what it has by then, and ends the request.
    return msgspec.json.encode({"batch": limit, "expires": max(1_000_000, round(wait * _NANOSECONDS)), "no_wait": True})


def retry(delay: float) -> bytes:
    """Give a message back for later."""
    if delay <= 0:
        return RETRY_NOW
    return RETRY_NOW + b" " + msgspec.json.encode({"delay": round(delay * _NANOSECONDS)})


def attempt(reply: str) -> int:
    """Read the number of deliveries from ``$JS.ACK.[domain.account.]stream.consumer.deliveries.…``."""
    tokens = reply.split(".")
    return int(tokens[4 if len(tokens) == _SHORT_REPLY else 6])


def headers(message: Message) -> dict[str, str]:
    """Return the headers of a message and its id; a line break could forge a header and is refused."""
    for name, value in message.headers.items():
        if not _PLAIN.fullmatch(value):
            raise ValueError(f"the header {name} of message {message.id} has a control character")
    return {MESSAGE_ID: message.id, **message.headers}


def message(subject: str, reply: str, data: bytes, received: Mapping[str, str] | None) -> Message:
    """Read a delivered message; one that was published without an id is named after its place in the stream."""
    kept = dict(received or {})
    identity = kept.pop(MESSAGE_ID, "")
    if not identity:
        tokens = reply.split(".")
        first = 2 if len(tokens) == _SHORT_REPLY else 4
        identity = f"{tokens[first]}.{tokens[first + 3]}"
    return Message(id=identity, subject=subject, body=data, headers=kept)
