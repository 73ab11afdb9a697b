"""Messages as Pub/Sub carries them, and the names and rules of topics and subscriptions. Pure.

Source: Pub/Sub REST reference (``PubsubMessage``, ``Subscription``); "Pub/Sub quotas and limits"; "Resource names".
"""

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from shoal.drivers.base import Consumer, Kept, Message, Stream
from shoal.drivers.base.declared import StreamRecord
from shoal.errors import EngineError

BATCH = 1000
"""Most messages, or ids of answers, of one request."""

LARGEST = 7 * 1024 * 1024
"""Bytes of the largest message, and of a whole batch: as Base64 they are less than the 10 MB of a request."""

DAY = 86_400
LEAST_KEEPING, KEEPING, EMULATED_KEEPING = 600, 31 * DAY, 7 * DAY
"""Seconds that a subscription keeps a message: at least, at most, and at most in the emulator."""

LEAST_DEADLINE, MOST_DEADLINE = 10, 600
"""Seconds for which a subscription leaves a message in somebody's hand."""

SUBJECT, TAIL = "subject", "tail"
"""Attributes of a message: its subject, and the last word of it, which filters look at."""

EMULATED_KEYS = 8
"""Ordering keys that the keys of a stream share in the emulator, which keeps a thread for each that it ever saw."""

_VALUE = 1024
"""Bytes of an attribute's value, and of an ordering key."""

_FILTER = 256
_NAME = 255
_SUBJECT = re.compile(r"[^\s.\x00-\x20\x7f]+(\.[^\s.\x00-\x20\x7f]+)*")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a message has besides its body and its subject: the first line of what is carried."""

    id: str
    place: int
    made: int
    """Of the stream into which it was published."""
    key: str = ""
    headers: dict[str, str] = {}


class Received(NamedTuple):
    """A message that is in our hand, for a time."""

    name: str
    """How Pub/Sub calls it, each time it gives it out."""
    answer: str
    """What answers this time."""
    at: datetime
    head: Head
    message: Message

    @property
    def kept(self) -> Kept:
        """The message and its place."""
        return Kept(sequence=self.head.place, at=self.at, message=self.message)


def keeps(stream: Stream) -> bool:
    """Tell whether messages stay until they are removed."""
    return stream.age <= 0


def subscription_name(stream: str, consumer: str) -> str:
    """Name the subscription of a consumer."""
    name = f"{stream}.{consumer}"
    return name if len(name) <= _NAME else f"{stream[:64]}.{hashlib.sha256(name.encode()).hexdigest()}"


def letters_name(stream: str) -> str:
    """Name the subscription that keeps all of a stream until it is removed."""
    return subscription_name(stream, "_letters")


def turn_name(stream: str) -> str:
    """Name the topic and the subscription of the one message that whoever reads letters has in hand."""
    return subscription_name(stream, "_turn")


def deadline(consumer: Consumer) -> int:
    """Return the seconds for which messages are left in the hand of a reader who says nothing."""
    return min(MOST_DEADLINE, max(LEAST_DEADLINE, -int(-consumer.ack_wait // 1)))


def subscription(topic: str, seconds: int, keeping: float, subjects: Sequence[str]) -> dict[str, Any]:
    """Describe a subscription: ordered, and never let go of because nobody asks."""
    found: dict[str, Any] = {
        "topic": topic,
        "enableMessageOrdering": True,
        "ackDeadlineSeconds": seconds,
        "messageRetentionDuration": f"{max(LEAST_KEEPING, min(KEEPING, int(keeping)))}s",
        "expirationPolicy": {},
    }
    words = {subject.rpartition(".")[2] for subject in subjects}
    if len(words) == 1 and (text := _filter(words.pop())):
        found["filter"] = text
    return found


def _filter(word: str) -> str:
    """Write a filter of the last word; it cannot be changed later, so it says nothing of the rest."""
    text = f'attributes.{TAIL} = "{word}"'
    return "" if word in ("*", ">") or len(text) > _FILTER or re.search(r'["\\]', word) else text


def entry(message: Message, record: StreamRecord, place: int, keys: int = 0) -> dict[str, Any]:
    """Write a message.

    Args:
        message: What is to be carried.
        record: Its stream.
        place: Its number.
        keys: Ordering keys that the stream's keys share; 0 when each is its own.

    Raises:
        EngineError: It cannot be carried, or its stream does not take it.
    """
    subject = message.subject
    if not _SUBJECT.fullmatch(subject) or len(subject.encode()) > _VALUE:
        raise EngineError(f"{subject!r} is no subject", hint="use words, separated by dots")
    for name, value in message.headers.items():
        if not name or not _PLAIN.fullmatch(name) or not _PLAIN.fullmatch(value):
            raise EngineError(
                f"the header {name!r} of message {message.id!r} has a control character",
                hint="keep names and values of headers on one line",
            )
    head = Head(message.id, place, record.made, message.key, dict(message.headers))
    data = msgspec.json.encode(head) + b"\n" + message.body
    most = min(record.stream.largest or LARGEST, LARGEST)
    if len(data) > most:
        raise EngineError(
            f"message {message.id} for {subject} has {len(data)} bytes with its headers; its stream takes {most}",
            hint="keep large content elsewhere and send its address",
        )
    attributes = {SUBJECT: subject, TAIL: subject.rpartition(".")[2]}
    found = {"data": base64.b64encode(data).decode(), "attributes": attributes}
    key = ordering_key(message, record.stream, keys)
    return found | {"orderingKey": key} if key else found


def ordering_key(message: Message, stream: Stream, keys: int) -> str:
    """Name what keeps its order: the messages of a key. Those that are kept have none, as all are in hand."""
    key = "" if keeps(stream) else message.key
    if key and keys:
        return str(zlib.crc32(key.encode()) % keys)
    return key if len(key.encode()) <= _VALUE else hashlib.sha256(key.encode()).hexdigest()


def read(received: Mapping[str, Any]) -> Received | None:
    """Read what a subscription gave out; None for what something else published."""
    try:
        carried = received["message"]
        line, _, body = base64.b64decode(carried["data"]).partition(b"\n")
        head = msgspec.json.decode(line, type=Head)
        subject = carried["attributes"][SUBJECT]
        at = msgspec.convert(carried["publishTime"], datetime)
    except (LookupError, TypeError, ValueError):
        return None
    message = Message(id=head.id, subject=subject, body=body, headers=head.headers, key=head.key)
    return Received(str(carried["messageId"]), str(received["ackId"]), at, head, message)
