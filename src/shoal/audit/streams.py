"""Read a stream of the broker once, and remember of each message what several audits ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shoal.audit.leaks import Leaks
from shoal.drivers.base import BrokerAdmin, Kept
from shoal.runtime.consuming.letters import letter_of
from shoal.runtime.envelope import unpack
from shoal.service.codec import Malformed

PAGE = 500
"""Messages read at a time."""


class Stamp(NamedTuple):
    """A message of a stream."""

    sequence: int
    subject: str
    type: str
    """Of the CloudEvent; empty when it is none."""
    made: datetime
    """Time of the CloudEvent, or, without one, when the broker stored it."""
    event: str
    """Id of the CloudEvent."""
    origin: str
    """Of a dead letter, the id of the message that was given up; empty for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A stream, as it was read. Some 400 bytes a message."""

    name: str
    stamps: Mapping[str, Stamp]
    """By id of the message; of several with one id, the last."""
    count: int
    """Messages read, repetitions included."""
    leaks: tuple[str, ...]
    """Where secrets were found."""


async def read(broker: BrokerAdmin, name: str, secrets: Mapping[str, str]) -> Book:
    """Read a whole stream; raises `Unavailable` when there is none."""
    stamps: dict[str, Stamp] = {}
    leaks = Leaks(secrets)
    above = count = 0
    while page := await broker.read(name, above, PAGE):
        for kept in page:
            stamps[kept.message.id] = _stamp(kept)
            leaks.look(f"stream {name} at {kept.sequence}", _text(kept))
        above, count = page[-1].sequence, count + len(page)
    return Book(name=name, stamps=stamps, count=count, leaks=tuple(leaks.found))


def _stamp(kept: Kept) -> Stamp:
    letter = letter_of(kept.message)
    origin = letter.message if letter is not None else ""
    try:
        envelope = unpack(kept.message)
    except Malformed:
        return Stamp(kept.sequence, kept.message.subject, "", kept.at, "", origin)
    made = envelope.time if isinstance(envelope.time, datetime) else kept.at
    return Stamp(kept.sequence, kept.message.subject, envelope.type, made, envelope.id, origin)


def _text(kept: Kept) -> bytes:
    headers = "\n".join(kept.message.headers.values())
    return kept.message.body + headers.encode() if headers else kept.message.body
