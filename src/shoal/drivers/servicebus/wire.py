"""Messages as Service Bus carries them, and the names and rules of topics and subscriptions. Pure.

Source: "Service Bus quotas"; "Service Bus messages, payloads, and serialization"; the AMQP protocol guide.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shoal.drivers.base import Consumer, Message, Stream
from shoal.drivers.base.holding import Letter
from shoal.drivers.servicebus.engine import Carried
from shoal.errors import EngineError

LARGEST = 256 * 1024
"""Bytes of the largest message where Service Bus says nothing else: the standard tier's, with all properties."""

LETTERS = "shoal.letters"
"""Subscription that keeps what is published until it is removed."""

REGISTRY = Stream(name="shoal.declared", subjects=("shoal.declared",), age=0.0)
"""Where it is written down what there is; it is a stream whose messages stay, like dead letters."""

LOCK, LONGEST_LOCK = 15.0, 300.0
"""Seconds for which a session is somebody's who says nothing, and the most that Service Bus allows."""

LETTERS_LOCK = 30.0
"""The same, for the letters of which some are taken away."""

DELIVERIES = 2000
"""Most times that a message may be in a hand that dies, before Service Bus puts it aside by itself."""

RULES = 50
"""Subjects of a consumer that are rules of its subscription; with more of them it gets all, and its reader looks."""

_NAME = 50
_ID = 128
_PROPERTY, _PROPERTIES = 32 * 1024, 64 * 1024
_OURS = "x-shoal-"
_SUBJECT = re.compile(r"[^\s.\x00-\x20\x7f]+(\.[^\s.\x00-\x20\x7f]+)*")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")
_ALLOWED = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def keeps(stream: Stream) -> bool:
    """Tell whether messages stay until they are removed."""
    return stream.age <= 0


def subscription_name(consumer: str) -> str:
    """Name the subscription of a consumer, within its topic; Service Bus does not tell large letters from small."""
    if len(consumer) <= _NAME and _ALLOWED.fullmatch(consumer) and consumer == consumer.lower():
        return consumer
    return f"c-{hashlib.sha256(consumer.encode()).hexdigest()[: _NAME - 2]}"


def entity(stream: str, subscription: str) -> str:
    """Spell a subscription as Service Bus does."""
    return f"{stream}/Subscriptions/{subscription}"


def place(consumer: Consumer) -> str:
    """Spell the subscription of a consumer."""
    return entity(consumer.stream, subscription_name(consumer.name))


def lock(consumer: Consumer) -> float:
    """Return the seconds for which the session of a consumer is its reader's who says nothing."""
    return min(LONGEST_LOCK, max(LOCK, consumer.ack_wait))


def rules(subjects: Sequence[str]) -> Sequence[str]:
    """List the subjects that are rules; none where everything is to come."""
    exact = len(subjects) <= RULES and not any("*" in subject or ">" in subject for subject in subjects)
    return sorted({*subjects}) if exact else ()


def rule_name(subject: str) -> str:
    """Name the rule that lets a subject through."""
    return f"s-{hashlib.sha256(subject.encode()).hexdigest()[:32]}"


def carry(message: Message, stream: Stream, made: int, group: str, most: int) -> bytes:
    """Write a message.

    Args:
        message: What is to be carried.
        stream: Its stream.
        made: When its stream was made.
        group: The session.
        most: Bytes that the topic takes.

    Raises:
        EngineError: It cannot be carried, or its stream does not take it.
    """
    if not _SUBJECT.fullmatch(message.subject):
        raise EngineError(f"{message.subject!r} is no subject", hint="use words, separated by dots")
    for name, value in message.headers.items():
        if not name or not _PLAIN.fullmatch(name) or not _PLAIN.fullmatch(value) or name.startswith(_OURS):
            raise EngineError(
                f"the header {name!r} of message {message.id!r} has a control character, or our own name",
                hint=f"keep names and values of headers on one line, and off {_OURS}",
            )
    own = {"id": message.id, "key": message.key, "made": made}
    properties: dict[str, Any] = {**message.headers, **{f"{_OURS}{name}": value for name, value in own.items()}}
    sizes = [len(str(value).encode()) for value in properties.values()]
    names = sum(len(name.encode()) for name in properties)
    known = message.id if len(message.id) <= _ID else ""
    data = Carried(body=message.body, id=known, subject=message.subject, group=group, properties=properties).encode()
    allowed = min(stream.largest or most, most)
    if len(data) > allowed or max(sizes) > _PROPERTY or sum(sizes) + names > _PROPERTIES:
        raise EngineError(
            f"message {message.id} for {message.subject} has {len(data)} bytes, {sum(sizes) + names} of them in its"
            f" headers; its stream takes {allowed}, and {_PROPERTIES} of headers",
            hint="keep large content elsewhere and send its address",
        )
    return data


def made(carried: Carried) -> int:
    """Say when the stream was made into which a message was published; 0 for what is none of ours."""
    found = carried.properties.get(f"{_OURS}made", 0)
    return int(found) if isinstance(found, int) else 0


def read(carried: Carried, offset: int) -> Letter | None:
    """Read what a subscription gave out; None for what something else published."""
    annotations, properties = carried.annotations, carried.properties
    try:
        number = int(annotations["x-opt-sequence-number"])
        at = datetime.fromtimestamp(int(annotations["x-opt-enqueued-time"]) / 1000, UTC)
        own = {name: str(properties[f"{_OURS}{name}"]) for name in ("id", "key")}
    except (LookupError, TypeError, ValueError):
        return None
    if not isinstance(carried.body, bytes) or not carried.subject:
        return None
    headers = {name: str(value) for name, value in properties.items() if not name.startswith(_OURS)}
    message = Message(id=own["id"], subject=carried.subject, body=carried.body, headers=headers, key=own["key"])
    return Letter(offset, at, message, "", number)
