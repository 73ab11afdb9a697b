"""Spans into their table, their traces, marks and roll-ups."""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from shoal.dashboard.store.records import ERROR, Span
from shoal.dashboard.store.schema import mark
from shoal.dashboard.store.writing.cells import Cells
from shoal.dashboard.store.writing.edges import Edge, answers, asks, edge_of
from shoal.dashboard.store.writing.kin import Kin
from shoal.dashboard.store.writing.names import Names

_REMEMBERED = 20_000
"""Traces in memory; one that goes on after them is read again."""

_ATTRIBUTES = 100_000
"""Attributes, and names, whose marks are remembered."""

_LONGEST = 200
"""Characters of a value that can be looked for."""

_UNMARKED = ("code.", "thread.", "db.query.", "exception.", "user_agent.", "http.response.body", "http.request.body")
"""Beginnings of keys that nobody looks for by value."""

_ERROR = mark("error")
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class _Trace:
    n: int
    started: int
    ended: int
    spans: int
    errors: int
    root: int
    rooted: bool
    root_started: int
    services: tuple[str, ...]


class Spans:
    """Writes spans."""

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        self._connection, self._names = connection, names
        self._cells, self._edge_cells = Cells(connection, "cells"), Cells(connection, "edge_cells")
        self._kin = Kin(self._way)
        self._traces: OrderedDict[bytes, _Trace] = OrderedDict()
        self._changed: set[bytes] = set()
        self._marks: set[tuple[int, int]] = set()
        self._known: dict[tuple[str, object], int] = {}
        self._named: dict[tuple[str, str], tuple[int, ...]] = {}
        self._last = 0
        self.forget()

    def write(self, spans: Iterable[Span]) -> int:
        """Write spans, and return how many of them were new: what is sent twice is kept once."""
        fresh = self._fresh(spans)
        rows = [self._row(span) for span in fresh]
        self._kin.give_up()
        self._connection.executemany("INSERT INTO spans VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._connection.executemany("INSERT OR IGNORE INTO marks VALUES (?, ?)", sorted(self._marks))
        self._marks.clear()
        self._write_traces()
        self._cells.write()
        self._edge_cells.write()
        return len(rows)

    def fold(self, now: int) -> None:
        """Fold old roll-ups; `now` in seconds."""
        self._cells.fold(now)
        self._edge_cells.fold(now)

    def finish(self) -> None:
        """Count what still waits for who answered."""
        self._kin.give_up(0.0)
        self._edge_cells.write()

    def forget(self) -> None:
        """Leave what is in memory: the transaction was taken back."""
        self.forget_rows()
        self._kin.forget()

    def forget_rows(self) -> None:
        """Leave what is in memory of rows: some were removed. Calls still wait for who answered."""
        self._traces.clear()
        self._changed.clear()
        self._marks.clear()
        self._cells.forget()
        self._edge_cells.forget()
        ((self._last,),) = self._connection.execute("SELECT coalesce(max(n), 0) FROM traces")

    def _fresh(self, spans: Iterable[Span]) -> list[Span]:
        """Leave out spans that are there: exporters send a batch again when they heard no answer."""
        found: dict[tuple[int, int], Span] = {}
        for span in spans:
            found.setdefault((self._trace(span).n, span.span), span)
        ask = self._connection.execute
        return [
            span
            for key, span in found.items()
            if self._is_new(span.trace) or not ask("SELECT 1 FROM spans WHERE trace = ? AND span = ?", key).fetchone()
        ]

    def _is_new(self, trace: bytes) -> bool:
        return not self._traces[trace].spans

    def _row(self, span: Span) -> tuple[object, ...]:
        names, resource = self._names, span.resource
        operation, apart = names.operation(resource.service, span.name, span.kind)
        failed = span.status == ERROR
        ended = span.started + span.took
        self._cells.count(operation, ended, span.took, failed=failed)
        if span.kind > 1:
            self._ways(span)
        trace = self._traces[span.trace]
        self._join(trace, span, operation)
        self._mark(trace.n, span, failed=failed)
        told = (span.attributes, span.events, span.links, span.message, "" if apart else span.name)
        return (
            *(trace.n, span.span, span.parent, operation, names.resource(resource)),
            *(span.started, span.took, span.status, _encode(told)),
        )

    def _ways(self, span: Span) -> None:
        """Count the way that a span took, or wait for who can tell."""
        edge = edge_of(span)
        if edge is not None:
            self._way(edge, span)
        elif asks(span):
            self._kin.called(span)
        if answers(span):
            self._kin.answered(span)

    def _way(self, edge: Edge, span: Span) -> None:
        failed = span.status == ERROR
        self._edge_cells.count(self._names.edge(*edge), span.started + span.took, span.took, failed=failed)

    def _join(self, trace: _Trace, span: Span, operation: int) -> None:
        """Count a span in its trace. The root is what has no parent, else what began first."""
        trace.spans += 1
        trace.errors += span.status == ERROR
        trace.started = min(trace.started, span.started)
        trace.ended = max(trace.ended, span.started + span.took)
        rooted = not span.parent
        if (rooted and not trace.rooted) or (rooted == trace.rooted and span.started < trace.root_started):
            trace.root, trace.rooted, trace.root_started = operation, rooted, span.started
        if span.resource.service not in trace.services:
            trace.services = (*trace.services, span.resource.service)
        self._changed.add(span.trace)

    def _mark(self, n: int, span: Span, *, failed: bool) -> None:
        add, known, service = self._marks.add, self._known, span.resource.service
        for one in self._named.get((service, span.name)) or self._name(service, span.name):
            add((one, n))
        if failed:
            add((_ERROR, n))
            add((mark("error", service), n))
        for item in span.attributes.items():
            sort = type(item[1])
            if sort is str or sort is int:
                number = known.get(item)
                if number is None:
                    number = known[item] = self._attribute(item[0], str(item[1]))
            else:
                number = self._attribute(item[0], word(item[1])) if sort is bool else 0
            if number:
                add((number, n))

    def _name(self, service: str, name: str) -> tuple[int, ...]:
        """Give the marks of a span's name and service, and remember them."""
        words = (("service", service), ("operation", service, name), ("name", name))
        found = self._named[service, name] = tuple(mark(*each) for each in words)
        return found

    def _attribute(self, key: str, text: str) -> int:
        """Give the mark of an attribute; 0 for one that nobody looks for."""
        if len(text) > _LONGEST or key.startswith(_UNMARKED):
            return 0
        self._names.key(key)
        return mark("attribute", key, text)

    def _trace(self, span: Span) -> _Trace:
        found = self._traces.get(span.trace)
        if found is None:
            found = self._traces[span.trace] = self._read(span)
        return found

    def _read(self, span: Span) -> _Trace:
        ask = "SELECT n, started, took, spans, errors, root, rooted, services FROM traces WHERE id = ?"
        row = self._connection.execute(ask, (span.trace,)).fetchone()
        if row is None:
            self._last += 1
            return _Trace(self._last, span.started, 0, 0, 0, 0, rooted=False, root_started=1 << 62, services=())
        n, started, took, spans, errors, root, rooted, services = row
        told = tuple(msgspec.json.decode(services, type=list[str]))
        # A root is what began first of its sort, so that is what a later one is compared with.
        return _Trace(n, started, started + took, spans, errors, root, bool(rooted), started, told)

    def _write_traces(self) -> None:
        changed = ((identifier, self._traces[identifier]) for identifier in self._changed)
        rows = (
            (t.n, i, t.started, t.ended - t.started, t.spans, t.errors, t.root, t.rooted, _encode(t.services).decode())
            for i, t in changed
        )
        self._connection.executemany("REPLACE INTO traces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._changed.clear()
        for known in (self._known, self._named):
            if len(known) > _ATTRIBUTES:
                known.clear()
        while len(self._traces) > _REMEMBERED:
            self._traces.popitem(last=False)


def word(value: object) -> str:
    """Write a value as people look for it: ``true``, ``42``, ``text``."""
    return str(value).lower() if isinstance(value, bool) else str(value)
