"""Golden signals over time."""

import msgspec

from shoal.dashboard.store.reading.cells import WIDTH, Sum, rows, span_of
from shoal.dashboard.store.reading.database import Database
from shoal.dashboard.store.records import KINDS

_STEPS = 2000
"""Points of one series."""


class SeriesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for.

    Args:
        service: A service; all when empty.
        operation: Name of its operation; all when empty.
        kind: Kind of spans, such as ``server``; when empty, what was asked from outside: ``server`` and ``consumer``.
        step: Seconds between points, at least 10; chosen so that there are some 120 when 0.
        since: First time.
        until: Last time.
    """

    service: str = ""
    operation: str = ""
    kind: str = ""
    step: float = 0.0
    since: float | None = None
    until: float | None = None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One value for each time, the beginning of a step; rates are per second, durations milliseconds or None."""

    step: float
    times: list[float]
    rate: list[float]
    errors: list[float]
    p50: list[float | None]
    p99: list[float | None]
    p50_errors: list[float | None]
    p99_errors: list[float | None]


def series(database: Database, query: SeriesQuery) -> Series:
    """Sum up what operations did, step by step."""
    begin, end = between = span_of(database, query.since, query.until)
    step = step_of(query.step, end - begin)
    begin -= begin % step
    where, values = _where(query)
    sums: dict[int, Sum] = {}
    for at, _, *cell in rows(database, "cells", between, where, values):
        sums.setdefault(at - at % step, Sum()).add(*cell)
    times = list(range(begin, end, step))
    found = [sums.get(time) for time in times]
    return Series(
        step=float(step),
        times=[time * 1000.0 for time in times],
        rate=[round(one.count / step, 4) if one else 0.0 for one in found],
        errors=[round(one.errors / step, 4) if one else 0.0 for one in found],
        p50=[one.quantile(0.5) if one else None for one in found],
        p99=[one.quantile(0.99) if one else None for one in found],
        p50_errors=[one.quantile_of_errors(0.5) if one and one.errors else None for one in found],
        p99_errors=[one.quantile_of_errors(0.99) if one and one.errors else None for one in found],
    )


def step_of(wanted: float, seconds: float) -> int:
    """Choose a step that is a multiple of the finest cell and gives a bearable number of points."""
    step = wanted or seconds / 120
    step = max(step, seconds / _STEPS, WIDTH)
    return int(-(-step // WIDTH) * WIDTH)


def _where(query: SeriesQuery) -> tuple[str, tuple[object, ...]]:
    kinds = [query.kind] if query.kind in KINDS else ["server", "consumer"] if not query.operation else list(KINDS)
    words, values = [f"x.kind IN ({', '.join(str(KINDS.index(kind)) for kind in kinds)})"], []
    for word, value in (("x.service = ?", query.service), ("x.name = ?", query.operation)):
        if value:
            words.append(word)
            values.append(value)
    return " AND ".join(words), tuple(values)
