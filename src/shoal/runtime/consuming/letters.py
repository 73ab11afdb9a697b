"""Dead letters: the message as it was, and in one header all that is known of its end."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from shoal.drivers.base import Message
from shoal.model.names import again_subject, dead_letter_subject
from shoal.runtime.consuming.attempts import Try

HEADER = "Shoal-Letter"
"""Header of a dead letter, and of one that was sent to its consumer once more: a `Letter` as JSON in ASCII."""

_PLAIN = re.compile(r"[^\x00-\x1f\x7f]*")


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a message was given up."""

    service: str
    consumer: str
    stream: str
    """Where it came from."""
    sequence: int
    """Its place there."""
    subject: str
    message: str
    """Its id there."""
    sent: str = ""
    """Id under which it was sent once more, when that is what failed."""
    error: str
    at: datetime
    """When it was given up."""
    event: str = ""
    """Id of the CloudEvent, if it was one."""
    type: str = ""
    key: str = ""
    made: datetime | None = None
    trace: str = ""
    stack: tuple[str, ...] = ()
    attempts: int = 0
    history: tuple[Try, ...] = ()
    headers: Mapping[str, str] = {}
    """Headers that could not travel as such."""
    original: bytes | None = None
    """Its first body, when somebody has edited it."""
    again: int = 0
    """How often it was sent to its consumer once more."""


_decode = msgspec.json.Decoder(Letter).decode


def letter_message(system: str, letter: Letter, message: Message) -> Message:
    """Write a dead letter."""
    plain = {name: value for name, value in message.headers.items() if name != HEADER and _PLAIN.fullmatch(value)}
    rest = {name: value for name, value in message.headers.items() if name != HEADER and name not in plain}
    letter = msgspec.structs.replace(letter, headers=rest)
    return Message(
        id=_letter_id(letter, message.body),
        subject=dead_letter_subject(system, letter.service),
        body=message.body,
        headers={**plain, HEADER: _spell(letter)},
    )


def again_message(system: str, letter: Letter, message: Message) -> Message:
    """Write what sends a dead letter to its consumer once more; the CloudEvent keeps its id, so the inbox still holds.

    The message's own id is a new one for each time, and the same when that time is repeated.
    """
    counted = msgspec.structs.replace(letter, again=letter.again + 1, headers={})
    headers = {name: value for name, value in message.headers.items() if name != HEADER}
    return Message(
        id=f"again-{counted.again}-{_letter_id(letter, message.body)}",
        subject=again_subject(system, letter.service),
        body=message.body,
        headers={**headers, HEADER: _spell(counted)},
    )


def letter_of(message: Message) -> Letter | None:
    """Read what a dead letter, or one that was sent once more, says of its message; None when it says nothing."""
    spelled = message.headers.get(HEADER)
    if spelled is None:
        return None
    try:
        return _decode(spelled)
    except msgspec.MsgspecError:
        return None


def _letter_id(letter: Letter, body: bytes) -> str:
    """Name the letter after its message, so that a broker and a reader know a second copy of it."""
    name = letter.message if _PLAIN.fullmatch(letter.message) else hashlib.sha256(letter.message.encode()).hexdigest()
    edited = f"-{hashlib.sha256(body).hexdigest()[:8]}" if letter.original is not None else ""
    return f"{name}-{letter.service}{f'-{letter.again}' if letter.again else ''}{edited}"


def _spell(letter: Letter) -> str:
    return json.dumps(msgspec.to_builtins(letter), ensure_ascii=True, separators=(",", ":"))
