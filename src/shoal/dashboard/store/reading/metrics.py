"""Values of metrics: which there are, and one of them over time, for each replica and set of attributes."""

from typing import Any

import msgspec

from shoal.dashboard.store.reading.buckets import between
from shoal.dashboard.store.reading.database import Database, micro

_SERIES = 200
"""Series of one answer."""

_POINTS = 2000
"""Points of one series."""

_EXEMPLARS = 20
"""Exemplars of one series."""

_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class MetricName(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one service."""

    service: str
    name: str
    unit: str
    kind: str
    """``gauge``, ``sum`` or ``histogram``."""
    series: int


class MetricNames(msgspec.Struct, frozen=True, kw_only=True):
    """What there is."""

    items: list[MetricName]


class MetricQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for.

    Args:
        name: Of the metric.
        service: Only of this service.
        attributes: Only series that have these.
        since: First time.
        until: Last time.
        step: Seconds between points at least; all when 0.
    """

    name: str
    service: str = ""
    attributes: dict[str, str] = {}
    since: float | None = None
    until: float | None = None
    step: float = 0.0


class Exemplar(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement with the trace that it was made in."""

    at: float
    value: float
    trace_id: str


class MetricSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One series.

    Of a gauge, `values` are its values; of a sum, what was added per second; of a histogram, what was counted per
    second, with quantiles of what came between two points.
    """

    service: str
    replica: str
    attributes: dict[str, Any]
    times: list[float]
    values: list[float]
    total: float
    """The last value; of a sum or histogram, all that was counted."""
    quantiles: dict[str, list[float | None]]
    mean: list[float | None]
    exemplars: list[Exemplar] = []
    """The largest measurements whose traces are known, the largest first."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric over time."""

    name: str
    unit: str
    kind: str
    series: list[MetricSeries]


def metrics(database: Database, *, service: str = "", name: str = "") -> MetricNames:
    """List metrics, of one service or all, whose name has `name` in it."""
    ask = (
        "SELECT r.service, s.name, s.unit, s.kind, count(*) FROM series s JOIN resources r ON r.id = s.resource "
        "WHERE (? = '' OR r.service = ?) AND instr(s.name, ?) > 0 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2"
    )
    rows = database.ask(ask, (service, service, name))
    return MetricNames(items=[MetricName(service=a, name=b, unit=c, kind=d, series=e) for a, b, c, d, e in rows])


def metric(database: Database, query: MetricQuery) -> Metric:
    """Return one metric over time."""
    ask = (
        "SELECT s.id, r.service, r.replica, s.unit, s.kind, s.cumulative, s.attributes FROM series s "
        "JOIN resources r ON r.id = s.resource WHERE s.name = ? AND (? = '' OR r.service = ?) ORDER BY s.id"
    )
    rows = database.ask(ask, (query.name, query.service, query.service))
    found: list[MetricSeries] = []
    for number, service, replica, _, kind, cumulative, text in rows:
        attributes = msgspec.json.decode(text, type=dict[str, Any])
        if len(found) < _SERIES and all(str(attributes.get(k)) == v for k, v in query.attributes.items()):
            points = _points(database, number, query)
            made = _series(service, replica, attributes, points, "gauge" if kind == "gauge" else _how(cumulative))
            found.append(msgspec.structs.replace(made, exemplars=_exemplars(database, number, query)))
    return Metric(name=query.name, unit=rows[0][3] if rows else "", kind=rows[0][4] if rows else "", series=found)


def _how(cumulative: int) -> str:
    return "cumulative" if cumulative else "delta"


def _range(query: MetricQuery) -> tuple[int, int]:
    since = micro(query.since) if query.since is not None else -(1 << 62)
    return since, micro(query.until) if query.until is not None else 1 << 62


def _exemplars(database: Database, number: int, query: MetricQuery) -> list[Exemplar]:
    ask = "SELECT at, value, trace FROM exemplars WHERE series = ? AND at >= ? AND at <= ? ORDER BY value DESC LIMIT ?"
    rows = database.ask(ask, (number, *_range(query), _EXEMPLARS))
    return [Exemplar(at=at / 1000, value=value, trace_id=trace.hex()) for at, value, trace in rows]


def _points(database: Database, number: int, query: MetricQuery) -> list[tuple[int, float, bytes | None]]:
    ask = "SELECT at, value, histogram FROM points WHERE series = ? AND at >= ? AND at <= ? ORDER BY at DESC LIMIT ?"
    rows = database.ask(ask, (number, *_range(query), _POINTS * 10))[::-1]
    step = int(query.step * 1_000_000)
    kept: list[tuple[int, float, bytes | None]] = []
    for row in rows:
        if not kept or row[0] - kept[-1][0] >= step:
            kept.append(row)
    return kept[-_POINTS:]


def _series(
    service: str, replica: str, attributes: dict[str, Any], points: list[tuple[int, float, bytes | None]], how: str
) -> MetricSeries:
    times: list[float] = []
    values: list[float] = []
    means: list[float | None] = []
    quantiles: dict[str, list[float | None]] = (
        {name: [] for name in _QUANTILES} if any(one[2] for one in points) else {}
    )
    before: tuple[int, float, bytes | None] | None = None
    total = points[-1][1] if points else 0.0
    if how == "delta":
        total = sum(value for _, value, _ in points)
    for point in points:
        at, value, histogram = point
        if how == "gauge":
            times.append(at / 1000)
            values.append(value)
            continue
        if before is not None and at > before[0]:
            anew = how == "delta" or value < before[1]  # the process was started again and counts from zero
            times.append(at / 1000)
            values.append(round((value if anew else value - before[1]) * 1_000_000 / (at - before[0]), 4))
            if quantiles:  # a point that only says that nothing was counted yet has no histogram
                part = between(histogram, None if anew else before[2]) if histogram else None
                means.append(part.mean if part else None)
                for name, share in _QUANTILES.items():
                    quantiles[name].append(part.quantile(share) if part else None)
        before = point
    return MetricSeries(
        service=service, replica=replica, attributes=attributes, times=times, values=values, total=total,
        quantiles=quantiles, mean=means,
    )  # fmt: skip
