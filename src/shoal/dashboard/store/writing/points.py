"""Values of metrics into their table; one that stays as it is costs few rows."""

import sqlite3
from collections.abc import Iterable

import msgspec

from shoal.dashboard.store.records import Point
from shoal.dashboard.store.writing.names import Names

KEPT_EVERY = 20_000_000
"""Microseconds after which a value is written although it has not changed."""

_ROUND = 1_000_000
"""Microseconds between two exports at least: what comes within is of one of them."""

_INSERT = "REPLACE INTO points VALUES (?, ?, ?, ?)"
_Row = tuple[int, int, float, bytes | None]

_encode = msgspec.json.Encoder().encode


class Points:
    """Writes values.

    Of values that are the same, the first is written, and the last when another one follows: so a line between the
    points that are there is the line between all that came.
    """

    def __init__(self, connection: sqlite3.Connection, names: Names) -> None:
        self._connection, self._names = connection, names
        self._last: dict[int, tuple[_Row, int]] = {}
        """Of each series, its last value, and when one was written last."""
        self._rounds: dict[int, tuple[int, int]] = {}
        """Of who tells, when they told before, and last."""

    def write(self, points: Iterable[Point]) -> None:
        """Write values; one of the same series and time replaces the other."""
        rows: list[_Row] = []
        told_of: list[tuple[int, int, bytes, float]] = []
        for point in points:
            resource = self._names.resource(point.resource)
            cumulative = int(point.cumulative)
            series = self._names.series(resource, point.name, point.unit, point.kind, cumulative, point.attributes)
            if not series:
                continue
            told = _encode(point.histogram) if point.histogram else None
            before = self._round(resource, point.at)
            if before and cumulative and point.kind != "gauge" and series not in self._last:
                rows.append((series, before, 0.0, None))
            self._add(rows, (series, point.at, point.value, told), repeats=point.cumulative or point.kind == "gauge")
            told_of += [(series, at, trace, value) for at, value, trace in point.exemplars]
        self._connection.executemany(_INSERT, rows)
        self._connection.executemany("REPLACE INTO exemplars VALUES (?, ?, ?, ?)", told_of)

    def _round(self, resource: int, at: int) -> int:
        """Say when somebody told before; 0 who tells for the first time.

        A series that was not there then has counted from zero since.
        """
        before, now = self._rounds.get(resource, (0, at))
        if at - now >= _ROUND:
            before, now = now, at
        self._rounds[resource] = before, now
        return before

    def _add(self, rows: list[_Row], row: _Row, *, repeats: bool) -> None:
        known = self._last.get(row[0])
        if known is not None and repeats:
            last, written = known
            if row[1] > last[1] and row[2:] == last[2:] and row[1] - written < KEPT_EVERY:
                self._last[row[0]] = row, written
                return
            if last[1] > written and row[1] > last[1]:
                rows.append(last)
        rows.append(row)
        self._last[row[0]] = row, row[1]

    def finish(self) -> None:
        """Write the last values."""
        rows = [row for row, written in self._last.values() if row[1] > written]
        self._connection.executemany(_INSERT, rows)

    def forget(self) -> None:
        """Leave what is in memory: the transaction was taken back."""
        self._last.clear()
        self._rounds.clear()
