"""Traces: the list, one of them, and what sets a selection of them apart."""

import msgspec

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.differences import Feature, differences, features_of
from shoal.dashboard.server.exchange import Asked, Route
from shoal.dashboard.store.reading import Database, Trace, TraceLine, TraceQuery, trace, traces
from shoal.errors import Problem

_COMPARED = 150
"""Traces of a side that are compared."""


class TracesAsked(TraceQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of traces."""

    run: int = 0


class Selection(TracesAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box in a list of traces: of the traces that fit the query, those within it are compared with the others."""

    first: float
    """Unix milliseconds."""
    last: float
    shortest: float
    """Milliseconds."""
    longest: float


class TraceAsked(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One trace."""

    id: str
    limit: int = 10_000
    offset: int = 0


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What sets a selection apart."""

    selected: int
    others: int
    items: list[Feature]


async def listed(desk: Desk, asked: TracesAsked) -> object:
    """Find a page of traces, newest first."""
    return await desk.read(asked.run, lambda database: traces(database, asked))


async def one(desk: Desk, asked: TraceAsked) -> Trace:
    """Return a trace with its spans and logs.

    Raises:
        Problem: There is none (404).
    """
    found = await desk.read(asked.run, lambda db: trace(db, asked.id, limit=asked.limit, offset=asked.offset))
    if found is None:
        raise Problem(404, "no-such-trace", f"no trace {asked.id} is recorded", extra={"hint": "is it of another run?"})
    return found


async def compared(desk: Desk, asked: Selection) -> Compared:
    """Say which attributes are more frequent within a selection than outside of it."""
    return await desk.read(asked.run, lambda database: _compare(database, asked))


def _compare(database: Database, asked: Selection) -> Compared:
    lines = traces(database, msgspec.structs.replace(asked, limit=1000, cursor="")).items
    within = [line for line in lines if _within(line, asked)][:_COMPARED]
    outside = [line for line in lines if not _within(line, asked)][:_COMPARED]
    sides = [[features_of(t) for line in side if (t := trace(database, line.trace_id))] for side in (within, outside)]
    return Compared(selected=len(sides[0]), others=len(sides[1]), items=differences(*sides))


def _within(line: TraceLine, asked: Selection) -> bool:
    return asked.first <= line.started <= asked.last and asked.shortest <= line.ms <= asked.longest


ROUTES = (
    Route(method="GET", path="/api/traces", asked=TracesAsked, answer=listed),
    Route(method="GET", path="/api/traces/compare", asked=Selection, answer=compared),
    Route(method="GET", path="/api/traces/{id}", asked=TraceAsked, answer=one),
)
