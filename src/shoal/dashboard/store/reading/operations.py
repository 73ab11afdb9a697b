"""Golden signals of each operation: rate, errors, durations."""

import msgspec

from shoal.dashboard.store.reading.cells import Sum, rows, span_of
from shoal.dashboard.store.reading.database import Database
from shoal.dashboard.store.records import KINDS


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation; `rate` is per second, the rest milliseconds."""

    service: str
    name: str
    kind: str
    count: int
    errors: int
    rate: float
    mean: float
    p50: float
    p90: float
    p99: float
    error_p50: float
    error_p99: float
    """Of those that failed, so that quick failures do not look like speed."""


class Operations(msgspec.Struct, frozen=True, kw_only=True):
    """All operations, most frequent first, and the range that was looked at."""

    items: list[Operation]
    since: float
    until: float


def operations(
    database: Database, *, service: str = "", since: float | None = None, until: float | None = None
) -> Operations:
    """Sum up what operations did."""
    begin, end = between = span_of(database, since, until)
    sums: dict[int, Sum] = {}
    where, values = ("x.service = ?", (service,)) if service else ("1", ())
    for _, subject, *cell in rows(database, "cells", between, where, values):
        sums.setdefault(subject, Sum()).add(*cell)
    named = database.ask("SELECT id, service, name, kind FROM operations")
    names = {number: (service, name, kind) for number, service, name, kind in named}
    items = [_operation(names[subject], whole, max(1, end - begin)) for subject, whole in sums.items()]
    items.sort(key=lambda item: (-item.count, item.service, item.name, item.kind))
    return Operations(items=items, since=begin * 1000.0, until=end * 1000.0)


def _operation(named: tuple[str, str, int], whole: Sum, seconds: float) -> Operation:
    service, name, kind = named
    return Operation(
        service=service, name=name, kind=KINDS[kind], count=whole.count, errors=whole.errors,
        rate=round(whole.count / seconds, 4), mean=whole.mean, p50=whole.quantile(0.5), p90=whole.quantile(0.9),
        p99=whole.quantile(0.99), error_p50=whole.quantile_of_errors(0.5), error_p99=whole.quantile_of_errors(0.99),
    )  # fmt: skip
