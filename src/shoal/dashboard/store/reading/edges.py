"""Who goes to whom: calls, events and stores, with golden signals of each way."""

import msgspec

from shoal.dashboard.store.reading.cells import Sum, rows, span_of
from shoal.dashboard.store.reading.database import Database


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """One way. Ends are services, ``gateway``, events by their id, stores as ``orders/postgresql``."""

    source: str
    target: str
    kind: str
    """``call``, ``event`` or ``store``."""
    name: str
    count: int
    errors: int
    rate: float
    p50: float
    p99: float


class Edges(msgspec.Struct, frozen=True, kw_only=True):
    """All ways, the most used first, and the range that was looked at."""

    items: list[Edge]
    since: float
    until: float


def edges(database: Database, *, since: float | None = None, until: float | None = None) -> Edges:
    """Sum up which ways were taken."""
    begin, end = between = span_of(database, since, until)
    sums: dict[int, Sum] = {}
    for _, subject, *cell in rows(database, "edge_cells", between, "1", ()):
        sums.setdefault(subject, Sum()).add(*cell)
    named = database.ask("SELECT id, source, target, kind, name FROM edges")
    names = {number: (source, target, kind, name) for number, source, target, kind, name in named}
    items = [_edge(names[subject], whole, max(1, end - begin)) for subject, whole in sums.items()]
    items.sort(key=lambda item: (-item.count, item.source, item.target, item.name))
    return Edges(items=items, since=begin * 1000.0, until=end * 1000.0)


def _edge(named: tuple[str, str, str, str], whole: Sum, seconds: float) -> Edge:
    source, target, kind, name = named
    return Edge(
        source=source, target=target, kind=kind, name=name, count=whole.count, errors=whole.errors,
        rate=round(whole.count / seconds, 4), p50=whole.quantile(0.5), p99=whole.quantile(0.99),
    )  # fmt: skip
