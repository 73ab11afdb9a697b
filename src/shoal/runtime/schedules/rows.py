"""How far each schedule has come, as the service's own store keeps it."""

from datetime import datetime

import msgspec

from shoal.drivers.base import OwnTable, Row

SCHEDULES = OwnTable(
    name="schedules",
    key="name",
    columns=(
        ("name", "text"),
        ("settled", "time"),
        ("asked", "time"),
        ("due", "time"),
        ("attempts", "integer"),
        ("retry_at", "time"),
        ("outcome", "text"),
        ("ended_at", "time"),
        ("error", "text"),
        ("outages", "integer"),
    ),
)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far one schedule has come."""

    name: str
    settled: datetime
    """The latest due time that is done with, or the time at which the schedule was first seen."""
    asked: datetime | None = None
    """A due time that somebody added by hand."""
    due: datetime | None = None
    """What was tried last, and how often it failed by its own fault."""
    attempts: int = 0
    retry_at: datetime | None = None
    outcome: str | None = None
    """Of the last run that ended: ``done`` or ``abandoned``; None before the first."""
    ended_at: datetime | None = None
    error: str | None = None
    """What the last attempt met, if it failed."""
    outages: int | None = None
    """How often in a row it found something absent; None in rows that are older than this column."""


def to_row(state: State) -> Row:
    """Spread a state over its columns."""
    return msgspec.structs.asdict(state)


def from_row(row: Row) -> State:
    """Read a state from its row."""
    return msgspec.convert(dict(row), State)


def finished(state: State, due: datetime, outcome: str, now: datetime) -> State:
    """Settle a due time."""
    return msgspec.structs.replace(
        state,
        settled=max(state.settled, due),
        asked=state.asked if state.asked is not None and state.asked > due else None,
        due=None,
        attempts=0,
        outages=0,
        retry_at=None,
        outcome=outcome,
        ended_at=now,
        error=state.error if outcome != "done" else None,
    )
