"""Messages as entries of a topic and of a queue, and the names and rules of both. Pure."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from shoal.drivers.base import Kept, Message, Stream
from shoal.errors import EngineError

BATCH = 10
"""Most entries of one request."""

LARGEST = 256 * 1024
"""Bytes of the largest message, and of a whole batch: body, names, types and values of the attributes (SNS quotas)."""

KEEPING_SECONDS = 14 * 86_400
"""For so long a queue keeps a message, at most (SQS quotas)."""

MOST_VALUES = 150
"""Values that the filter of a subscription may name (SNS quotas)."""

SUBJECT, HEAD = "subject", "shoal"
"""Attributes of a message: what filters look at, and all that it has besides its body."""

SINCE, NAME = "shoal-since", "shoal-consumer"
"""Tags of a queue."""

_NAMES = 80 - len(".fifo")
"""Characters of a queue's name (SQS quotas)."""

_SUBJECT = re.compile(r"[^\s.\x00-\x20\x7f]+(\.[^\s.\x00-\x20\x7f]+)*")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")
_GROUP = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_CARRIED = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
"""What a queue takes (SQS, SendMessage): the characters of XML 1.0, and at least one."""

_EMPTY = "-"
"""An empty body, which no topic takes; no Base64 begins so."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a message has besides its body and its subject."""

    id: str
    place: int
    made: int
    """Of the stream into which it was published."""
    key: str = ""
    headers: dict[str, str] = {}
    coded: bool = False
    """Whether the body is written in Base64."""


class Letter(NamedTuple):
    """A message that was taken out of a queue, for a time."""

    name: str
    """How the queue calls it, each time it gives it out."""
    receipt: str
    """What answers this time."""
    at: datetime
    head: Head
    message: Message

    @property
    def kept(self) -> Kept:
        """The message and its place."""
        return Kept(sequence=self.head.place, at=self.at, message=self.message)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down of a stream."""

    stream: Stream
    topic: str
    """Its ARN."""
    made: int
    """Milliseconds since 1970; what was published before is published again, for who was not there."""


def keeps(stream: Stream) -> bool:
    """Tell whether messages stay until they are removed."""
    return stream.age <= 0


def topic_name(stream: str) -> str:
    """Name the topic of a stream."""
    return f"{stream}.fifo"


def queue_name(stream: str, consumer: str) -> str:
    """Name the queue of a consumer."""
    name = f"{stream}-{consumer}"
    if len(name) > _NAMES:
        name = f"{hashlib.sha256(name.encode()).hexdigest()[:12]}-{name[13 - _NAMES :].lstrip('-')}"
    return f"{name}.fifo"


def letters_name(stream: str) -> str:
    """Name the queue that keeps all of a stream until it is removed."""
    return queue_name(stream, "_letters")


def queue_arn(topic: str, queue: str) -> str:
    """Spell the ARN of a queue beside a topic: of the same account and region."""
    arn, partition, _, region, account, _ = topic.split(":", 5)
    return f"{arn}:{partition}:sqs:{region}:{account}:{queue}"


def topic_settings() -> dict[str, str]:
    """Describe a topic: ordered by group, and as fast as groups allow."""
    return {"FifoTopic": "true", "ContentBasedDeduplication": "false", "FifoThroughputScope": "MessageGroup"}


def queue_settings(topic: str, queue: str, hidden: int) -> dict[str, str]:
    """Describe a queue into which that topic may write, and nothing else."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyItsTopic",
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            }
        ],
    }
    return {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "false",
        "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId",
        "MessageRetentionPeriod": str(KEEPING_SECONDS),
        "VisibilityTimeout": str(hidden),
        "Policy": json.dumps(policy),
    }


def subscription(subjects: Sequence[str]) -> dict[str, str]:
    """Describe the subscription of a queue that hears some subjects, or all; `EngineError` for what no filter says."""
    found = {"RawMessageDelivery": "true"}
    if len(subjects) > MOST_VALUES or any({"*", ">"} & {*subject.split(".")} for subject in subjects):
        raise EngineError(
            f"no filter of SNS lets through just {len(subjects)} subjects such as {subjects[0]}",
            hint=f"a consumer may hear {MOST_VALUES} subjects, each spelled out",
        )
    return found | {"FilterPolicy": json.dumps({SUBJECT: [*subjects]})} if subjects else found


def entry(message: Message, record: Record, place: int) -> dict[str, Any]:
    """Write a message; raises `EngineError` for one that cannot be carried or that its stream does not take."""
    if not _SUBJECT.fullmatch(message.subject) or not _CARRIED.fullmatch(message.subject):
        raise EngineError(f"{message.subject!r} is no subject", hint="use words, separated by dots")
    for name, value in message.headers.items():
        if not name or not _PLAIN.fullmatch(name) or not _PLAIN.fullmatch(value):
            raise EngineError(
                f"the header {name!r} of message {message.id!r} has a control character",
                hint="keep names and values of headers on one line",
            )
    body, coded = _written(message.body)
    head = Head(message.id, place, record.made, message.key, dict(message.headers), coded)
    written = json.dumps(msgspec.to_builtins(head), separators=(",", ":"))
    attributes = {name: {"DataType": "String", "StringValue": v} for name, v in _attributes(message, written)}
    found = {
        "Id": str(place),
        "Message": body,
        "MessageAttributes": attributes,
        "MessageGroupId": group(message, record.stream),
        "MessageDeduplicationId": hashlib.sha256(f"{record.made} {message.id}".encode()).hexdigest(),
    }
    most = min(record.stream.largest or LARGEST, LARGEST)
    if (heavy := size(found)) > most:
        raise EngineError(
            f"message {message.id} for {message.subject} has {heavy} bytes with its headers; its stream takes {most}",
            hint="keep large content elsewhere and send its address",
        )
    return found


def _attributes(message: Message, head: str) -> Sequence[tuple[str, str]]:
    return ((SUBJECT, message.subject), (HEAD, head))


def size(found: Mapping[str, Any]) -> int:
    """Count the bytes of an entry, as they count for what a message may have."""
    attributes = found["MessageAttributes"].items()
    return len(found["Message"].encode()) + sum(
        len(name) + len(value["DataType"]) + len(value["StringValue"].encode()) for name, value in attributes
    )


def group(message: Message, stream: Stream) -> str:
    """Name what keeps its order: the messages of a key. Those that are kept are each for itself, as all are in hand."""
    name = message.id if keeps(stream) or not message.key else f"k.{message.key}"
    return name if _GROUP.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()


def letter(received: Mapping[str, Any]) -> Letter | None:
    """Read a message; None for one that something else wrote."""
    try:
        attributes = {name: value["StringValue"] for name, value in received["MessageAttributes"].items()}
        head = msgspec.json.decode(attributes[HEAD], type=Head)
        text = received["Body"]
        body = base64.b64decode(text.removeprefix(_EMPTY), validate=True) if head.coded else text.encode()
    except (KeyError, ValueError):
        return None
    at = _BEGINNING + timedelta(milliseconds=int(received["Attributes"]["SentTimestamp"]))
    message = Message(id=head.id, subject=attributes[SUBJECT], body=body, headers=head.headers, key=head.key)
    return Letter(received["MessageId"], received["ReceiptHandle"], at, head, message)


def _written(body: bytes) -> tuple[str, bool]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    return (text, False) if _CARRIED.fullmatch(text) else (base64.b64encode(body).decode() or _EMPTY, True)
