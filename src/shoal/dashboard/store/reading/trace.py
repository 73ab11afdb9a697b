"""One trace with its spans and logs."""

from typing import Any

import msgspec

from shoal.dashboard.store.reading.database import Database
from shoal.dashboard.store.reading.logs import COLUMNS, LogLine, bounds, line
from shoal.dashboard.store.records import KINDS, unsigned

LARGEST = 10_000
"""Spans of one answer."""

_LOGS = 1000
_STATUSES = ("unset", "ok", "error")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened within a span."""

    name: str
    at: float
    attributes: dict[str, Any]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A span elsewhere that this one has to do with."""

    trace_id: str
    span_id: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One span; `parent_id` is empty for a root."""

    span_id: str
    parent_id: str
    service: str
    replica: str
    kind: str
    name: str
    started: float
    ms: float
    status: str
    """``unset``, ``ok`` or ``error``."""
    message: str
    attributes: dict[str, Any]
    events: list[Event]
    links: list[Link]


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """A trace; `total` counts its spans, of which `spans` may be a part."""

    trace_id: str
    started: float
    ms: float
    total: int
    spans: list[Span]
    logs: list[LogLine]


_DETAIL = msgspec.json.Decoder(
    tuple[dict[str, Any], list[tuple[str, int, dict[str, Any]]], list[tuple[str, str]], str, str]
)


def trace(database: Database, identifier: str, *, limit: int = LARGEST, offset: int = 0) -> Trace | None:
    """Return the newest trace whose identifier begins so, its spans in the order in which they began.

    Raises:
        Unanswerable: That is no identifier.
    """
    found = database.one(
        "SELECT n, id, started, took, spans FROM traces WHERE id BETWEEN ? AND ? ORDER BY n DESC LIMIT 1",
        bounds(identifier),
    )
    if found is None:
        return _of_logs(database, identifier)
    number, whole, started, took, _ = found
    (total,) = database.ask("SELECT count(*) FROM spans WHERE trace = ?", (number,))[0]
    rows = database.ask(
        "SELECT s.span, s.parent, r.service, r.replica, o.kind, o.name, s.started, s.took, s.status, s.detail "
        "FROM spans s JOIN operations o ON o.id = s.operation JOIN resources r ON r.id = s.resource "
        "WHERE s.trace = ? ORDER BY s.started, s.took DESC, s.n LIMIT ? OFFSET ?",
        (number, max(1, min(limit, LARGEST)), max(0, offset)),
    )
    return Trace(
        trace_id=whole.hex(), started=started / 1000, ms=took / 1000, total=total,
        spans=[_span(row) for row in rows], logs=_logs(database, whole),
    )  # fmt: skip


def _of_logs(database: Database, identifier: str) -> Trace | None:
    """Return a trace of which only logs are known."""
    row = database.one(
        "SELECT trace, min(at), max(at) FROM logs WHERE trace BETWEEN ? AND ? LIMIT 1", bounds(identifier)
    )
    if row is None or row[0] is None:
        return None
    whole, first, last = row
    told = _logs(database, whole)
    return Trace(trace_id=whole.hex(), started=first / 1000, ms=(last - first) / 1000, total=0, spans=[], logs=told)


def _logs(database: Database, trace: bytes) -> list[LogLine]:
    source = "logs l JOIN resources r ON r.id = l.resource"
    ask = f"SELECT {COLUMNS} FROM {source} WHERE l.trace = ? ORDER BY l.at, l.n LIMIT ?"  # noqa: S608 - ours
    return [line(row) for row in database.ask(ask, (trace, _LOGS))]


def _span(row: tuple[Any, ...]) -> Span:
    span, parent, service, replica, kind, name, started, took, status, detail = row
    attributes, events, links, message, own = _DETAIL.decode(detail)
    return Span(
        span_id=unsigned(span), parent_id=unsigned(parent), service=service, replica=replica, kind=KINDS[kind],
        name=own or name, started=started / 1000, ms=took / 1000, status=_STATUSES[status if 0 <= status <= 2 else 0],
        message=message, attributes=attributes,
        events=[Event(name=n, at=at / 1000, attributes=more) for n, at, more in events],
        links=[Link(trace_id=t, span_id=s) for t, s in links],
    )  # fmt: skip
