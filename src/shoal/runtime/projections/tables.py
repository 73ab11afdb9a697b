"""The framework's own tables behind projections, and their rows."""

from datetime import datetime
from typing import TypeVar, cast

import msgspec

from shoal.drivers.base import OwnTable, Row

JOURNAL = OwnTable(
    name="journal",
    key="id",
    columns=(
        ("id", "text"),
        ("position", "integer"),
        ("ordinal", "integer"),
        ("type", "text"),
        ("key", "text"),
        ("number", "integer"),
        ("time", "time"),
        ("data", "bytes"),
        ("trace", "text"),
    ),
    indexes=(("position", "ordinal", "id"), ("key", "number")),
)
"""Every event that a projection of the service hears, once, for ever: what read models are rebuilt from."""

KEYS = OwnTable(
    name="journal_keys",
    key="key",
    columns=(("key", "text"), ("ordinal", "integer"), ("number", "integer"), ("parked", "integer")),
)
"""How far each key of each producer has come."""

COUNTS = OwnTable(name="journal_counts", key="type", columns=(("type", "text"), ("count", "integer"), ("time", "time")))
"""How many events of each type have their place in the journal, and when the latest was made."""

HEAD = ""
"""Row of `COUNTS` for all types together; its count is the last position that was given."""

CHECKPOINTS = OwnTable(
    name="projections",
    key="name",
    columns=(
        ("name", "text"),
        ("version", "integer"),
        ("generation", "integer"),
        ("position", "integer"),
        ("events", "integer"),
        ("time", "time"),
        ("failures", "integer"),
        ("error", "text"),
    ),
)
"""How far each projection has come; whoever writes a projection's records holds its row."""

PROJECTION_TABLES = (JOURNAL, KEYS, COUNTS, CHECKPOINTS)

T = TypeVar("T")

PARKED = 0
"""Ordinal of an event that waits for an earlier one of its key."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the journal."""

    id: str
    position: int | None = None
    """Its place in the order in which every projection folds, without gaps; None until it is given one."""
    ordinal: int
    """Counts the events of its key, from 1; `PARKED` while an earlier one is missing."""
    type: str
    key: str
    """Producer and key; empty for an event without a key."""
    number: int | None = None
    """Of an event that belongs to a sequence."""
    time: datetime | None = None
    """When the event was made."""
    data: bytes
    trace: str | None = None
    """Where in a trace it was announced."""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """How far the events of one key have come."""

    key: str
    ordinal: int = 0
    """Events that were noted."""
    number: int = 0
    """Number of the last one of its sequence."""
    parked: int = 0
    """Events that wait for an earlier one."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `COUNTS`."""

    type: str
    count: int = 0
    time: datetime | None = None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How far one projection has come."""

    name: str
    version: int
    """Version of the handlers that built it from its first event."""
    generation: int = 1
    """Counts its rebuilds, from 1."""
    position: int = 0
    """Place in the journal of the last event that it has folded, or knows not to concern it."""
    events: int = 0
    """Events that it has folded."""
    time: datetime | None = None
    """When the last of them was made."""
    failures: int = 0
    """Attempts at the next event that have failed."""
    error: str = ""
    """Why the last of them did."""


def read(row: Row, kind: type[T]) -> T:
    """Read a row of one of these tables."""
    return msgspec.convert(row, kind)


def write(value: msgspec.Struct) -> Row:
    """Write a value as a row of its table."""
    return cast("Row", msgspec.structs.asdict(value))
