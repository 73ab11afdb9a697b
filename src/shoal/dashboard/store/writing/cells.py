"""Roll-ups: how often, how long and how well, for each subject and each ten seconds.

They outlive the spans that they count. What is older than an hour is folded into minutes.
"""

import sqlite3
from dataclasses import dataclass, field

from shoal.dashboard.store.histogram import Counts, add, bucket, packed, unpacked

WIDTH, WIDE = 10, 60
"""Seconds of a fresh cell and of an old one."""

FOLDED_AFTER = 3600
"""Seconds after which cells become minutes."""

_SECOND = 1_000_000
_KEPT = 4096
"""Cells in memory: those of late spans are read again."""


@dataclass(slots=True)
class _Cell:
    count: int = 0
    errors: int = 0
    took: int = 0
    good: Counts = field(default_factory=dict)
    bad: Counts = field(default_factory=dict)


class Cells:
    """The cells of one table, ``cells`` or ``edge_cells``."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        self._connection, self._table = connection, table
        self._cells: dict[tuple[int, int], _Cell] = {}
        self._changed: set[tuple[int, int]] = set()
        self._buckets: dict[int, int] = {}
        self._folded = 0

    def count(self, subject: int, ended: int, took: int, *, failed: bool) -> None:
        """Count something that ended at `ended` after `took`, both in microseconds."""
        at = ended // _SECOND
        at -= at % (WIDTH if at >= self._folded else WIDE)
        key = (at, subject)
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = self._read(key)
        self._changed.add(key)
        cell.count += 1
        cell.took += took
        number = self._buckets.get(took)
        if number is None:
            number = self._buckets[took] = bucket(took)
        if failed:
            cell.errors += 1
            cell.bad[number] = cell.bad.get(number, 0) + 1
        else:
            cell.good[number] = cell.good.get(number, 0) + 1

    def write(self) -> None:
        """Write what has changed."""
        cells = ((key, self._cells[key]) for key in self._changed)
        rows = ((*key, c.count, c.errors, c.took, packed(c.good), packed(c.bad)) for key, c in cells)
        self._connection.executemany(f"REPLACE INTO {self._table} VALUES (?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608
        self._changed.clear()
        if len(self._buckets) > _KEPT * 16:
            self._buckets.clear()
        if len(self._cells) > _KEPT:
            self._cells.clear()

    def forget(self) -> None:
        """Leave what is in memory: the transaction was taken back."""
        self._cells.clear()
        self._changed.clear()

    def fold(self, now: int) -> None:
        """Fold cells older than an hour into minutes; `now` in seconds."""
        until = now - FOLDED_AFTER
        until -= until % WIDE
        ask = f"SELECT at, subject, count, errors, took, good, bad FROM {self._table} WHERE at >= ? AND at < ?"  # noqa: S608
        whole: dict[tuple[int, int], _Cell] = {}
        rows = self._connection.execute(ask, (self._folded, until)).fetchall()
        for at, subject, count, errors, took, good, bad in rows:
            cell = whole.setdefault((at - at % WIDE, subject), _Cell())
            cell.count, cell.errors, cell.took = cell.count + count, cell.errors + errors, cell.took + took
            add(cell.good, unpacked(good))
            add(cell.bad, unpacked(bad))
        if rows:
            gone = f"DELETE FROM {self._table} WHERE at >= ? AND at < ?"  # noqa: S608
            self._connection.execute(gone, (self._folded, until))
            self._cells.clear()
            self._cells.update(whole)
            self._changed.update(whole)
            self.write()
        self._folded = max(self._folded, until)

    def _read(self, key: tuple[int, int]) -> _Cell:
        ask = f"SELECT count, errors, took, good, bad FROM {self._table} WHERE at = ? AND subject = ?"  # noqa: S608
        row = self._connection.execute(ask, key).fetchone()
        if row is None:
            return _Cell()
        count, errors, took, good, bad = row
        return _Cell(count, errors, took, unpacked(good), unpacked(bad))
