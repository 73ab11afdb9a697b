"""Read roll-ups: sums over a range, for each subject or for each step of time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shoal.dashboard.store.histogram import Counts, add, merged, quantile, unpacked
from shoal.dashboard.store.reading.database import Database

WIDTH = 10
"""Seconds of the finest cell."""

_LONG_AGO = 946_684_800
"""The year 2000: what says to be older comes from a clock that was never set, and would make every range endless."""


@dataclass(slots=True)
class Sum:
    """What cells add up to; durations in milliseconds."""

    count: int = 0
    errors: int = 0
    took: int = 0
    good: Counts = field(default_factory=dict)
    bad: Counts = field(default_factory=dict)

    def add(self, count: int, errors: int, took: int, good: bytes, bad: bytes) -> None:
        """Add a cell."""
        self.count, self.errors, self.took = self.count + count, self.errors + errors, self.took + took
        add(self.good, unpacked(good))
        if bad:
            add(self.bad, unpacked(bad))

    def quantile(self, share: float) -> float:
        """Find a quantile of all."""
        return round(quantile(merged((self.good, self.bad)), share), 3)

    def quantile_of_errors(self, share: float) -> float:
        """Find a quantile of what failed."""
        return round(quantile(self.bad, share), 3)

    @property
    def mean(self) -> float:
        """Mean duration."""
        return round(self.took / self.count / 1000, 3) if self.count else 0.0


def span_of(database: Database, since: float | None, until: float | None) -> tuple[int, int]:
    """Return the range in seconds, `until` exclusive: what is asked for, within what there is."""
    first, last = _ends(database, _LONG_AGO, time.time())
    if first is None:  # all by clocks that are wrong, which is better than nothing
        first, last = _ends(database, -(1 << 62), 1 << 62)
    if first is None or last is None:
        return 0, 0
    begin = first if since is None else max(first, int(since // 1000 // WIDTH * WIDTH))
    end = last + WIDTH if until is None else min(last + WIDTH, int(-(-until // 1000)))
    return begin, max(begin, end)


def _ends(database: Database, since: float, until: float) -> tuple[int | None, int | None]:
    asks = (f"SELECT {which}(at) FROM cells WHERE at BETWEEN ? AND ?" for which in ("min", "max"))  # noqa: S608 - ours
    first, last = (database.ask(ask, (since, until))[0][0] for ask in asks)
    return first, last


def rows(
    database: Database, table: str, between: tuple[int, int], where: str, values: tuple[object, ...]
) -> Iterator[Any]:
    """Yield ``at``, ``subject`` and what `Sum.add` takes; `where` narrows the subject's row ``x``."""
    names = {"cells": "operations", "edge_cells": "edges"}[table]
    ask = (
        f"SELECT c.at, c.subject, c.count, c.errors, c.took, c.good, c.bad FROM {table} c "  # noqa: S608 - ours
        f"WHERE c.at >= ? AND c.at < ? AND c.subject IN (SELECT id FROM {names} x WHERE {where})"
    )
    yield from database.ask(ask, (*between, *values))
