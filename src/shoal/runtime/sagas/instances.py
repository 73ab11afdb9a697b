"""One saga under way, and what happened to it, as rows of the framework's own tables."""

from datetime import datetime
from typing import Any, Literal, cast

import msgspec

from shoal.drivers.base import OwnTable, Row, Session

Status = Literal["running", "compensating", "parked", "completed", "compensated"]
Direction = Literal["forward", "backward"]
Outcome = Literal["done", "failed", "away", "rejected", "refused", "overdue", "asked"]
"""Of an attempt: it succeeded; it failed; something it needs is away; a service rejects what it asks; it says that it
did not happen and never will. Without an attempt: the saga's time is up; an operator asks for a change."""

ACTIVE: tuple[Status, ...] = ("running", "compensating")
ENDED: tuple[Status, ...] = ("completed", "compensated")

SAGAS = OwnTable(
    name="sagas",
    key="id",
    columns=(
        ("id", "text"),
        ("saga", "text"),
        ("key", "text"),
        ("part", "integer"),
        ("status", "text"),
        ("direction", "text"),
        ("step", "text"),
        ("done", "json"),
        ("state", "json"),
        ("attempt", "integer"),
        ("tries", "integer"),
        ("version", "integer"),
        ("due", "time"),
        ("deadline", "time"),
        ("started", "time"),
        ("updated", "time"),
        ("error", "text"),
        ("trace", "text"),
    ),
    indexes=(("status", "due"),),
)
JOURNAL = OwnTable(
    name="saga_journal",
    key="id",
    columns=(
        ("id", "text"),
        ("saga", "text"),
        ("number", "integer"),
        ("step", "text"),
        ("direction", "text"),
        ("attempt", "integer"),
        ("outcome", "text"),
        ("status", "text"),
        ("started", "time"),
        ("ended", "time"),
        ("error", "text"),
        ("before", "json"),
    ),
)
SAGAS_TABLE, JOURNAL_TABLE = SAGAS.table, JOURNAL.table


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """One saga under way."""

    id: str
    saga: str
    """Name of its kind."""
    key: str
    part: int
    """Which of the `PARTS` it belongs to; each part is driven by one replica at a time."""
    status: Status = "running"
    direction: Direction = "forward"
    step: str
    """Name of the step to do, or to undo; empty once it has ended."""
    done: tuple[str, ...] = ()
    """Names of the steps that were done; going backward, of those that are still to be undone."""
    state: str
    """What it knows, as JSON."""
    attempt: int = 0
    """Failed attempts of the step."""
    tries: int = 0
    """The same, with those that met an outage."""
    version: int = 0
    """Counts its changes. The journal holds an entry for each, and no number twice: so of two that drive the same saga
    one cannot commit."""
    due: datetime | None
    """When it goes on; for one that has ended, when it may be forgotten; None for a parked one."""
    deadline: datetime
    started: datetime
    updated: datetime
    error: str = ""
    """Why it went back, waits or is parked."""
    trace: str = ""
    """``traceparent`` of the work that began it and, after a space, its ``tracestate``."""

    @property
    def is_active(self) -> bool:
        """Whether there is something to do for it."""
        return self.status in ACTIVE


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a saga, as its journal tells it."""

    saga: str
    """Its id."""
    number: int
    step: str
    direction: Direction
    attempt: int
    outcome: Outcome
    status: Status
    """Of the saga, from then on."""
    started: datetime
    ended: datetime
    error: str = ""
    before: str | None = None
    """What the saga knew before, as JSON, where the change is one of that, too."""


_encode = msgspec.json.Encoder().encode
_names = msgspec.json.Decoder(tuple[str, ...]).decode


def to_row(instance: Instance) -> Row:
    """Spread a saga over its columns."""
    row: dict[str, object] = {name: getattr(instance, name) for name in Instance.__struct_fields__}
    row["done"] = _encode(instance.done).decode()
    return row


def from_row(row: Row) -> Instance:
    """Read a saga from its row."""
    values = cast("dict[str, Any]", {name: row[name] for name in Instance.__struct_fields__})
    values["done"] = _names(values["done"])
    return Instance(**values)


def entry_row(entry: Entry) -> Row:
    """Spread an entry over its columns."""
    row: dict[str, object] = {name: getattr(entry, name) for name in Entry.__struct_fields__}
    row["id"] = f"{entry.saga}/{entry.number:08}"
    return row


def entry_of(row: Row) -> Entry:
    """Read an entry from its row."""
    return Entry(**cast("dict[str, Any]", {name: row[name] for name in Entry.__struct_fields__}))


def write(session: Session, after: Instance, entry: Entry) -> None:
    """Record a change. The commit raises `Conflict` when somebody else made the change of that number."""
    session.insert(JOURNAL_TABLE, entry_row(entry))
    session.put(SAGAS_TABLE, to_row(after))
