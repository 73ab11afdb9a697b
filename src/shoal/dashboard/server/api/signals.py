"""Golden signals of operations, over time, and of the ways between services; values of metrics; names to choose."""

import msgspec

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route
from shoal.dashboard.store.reading import (
    Database,
    MetricQuery,
    SeriesQuery,
    edges,
    metric,
    metrics,
    operations,
    series,
)
from shoal.errors import Problem


class Range(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A range of time, and of one service where it is said."""

    service: str = ""
    since: float | None = None
    until: float | None = None


class SeriesAsked(SeriesQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Golden signals over time."""

    run: int = 0


class MetricsAsked(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names of metrics."""

    service: str = ""
    name: str = ""


class MetricAsked(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One metric over time; `attributes` are ``key=value``."""

    name: str
    service: str = ""
    attributes: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    step: float = 0.0


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What telemetry has come from."""

    services: list[str]
    replicas: list[str]
    operations: list[str]
    keys: list[str]
    """Names of attributes that can be looked for."""


async def by_operation(desk: Desk, asked: Range) -> object:
    """Sum up each operation."""
    return await desk.read(
        asked.run, lambda db: operations(db, service=asked.service, since=asked.since, until=asked.until)
    )


async def over_time(desk: Desk, asked: SeriesAsked) -> object:
    """Sum up step by step."""
    return await desk.read(asked.run, lambda database: series(database, asked))


async def ways(desk: Desk, asked: Range) -> object:
    """Sum up who goes to whom."""
    return await desk.read(asked.run, lambda database: edges(database, since=asked.since, until=asked.until))


async def metric_names(desk: Desk, asked: MetricsAsked) -> object:
    """List metrics."""
    return await desk.read(asked.run, lambda database: metrics(database, service=asked.service, name=asked.name))


async def metric_values(desk: Desk, asked: MetricAsked) -> object:
    """Return one metric over time.

    Raises:
        Problem: An attribute is not ``key=value`` (400).
    """
    pairs = [text.partition("=") for text in asked.attributes]
    if not all(separator for _, separator, _ in pairs):
        raise Problem(400, "malformed-query", "attributes are key=value")
    query = MetricQuery(
        name=asked.name, service=asked.service, attributes={key: value for key, _, value in pairs},
        since=asked.since, until=asked.until, step=asked.step,
    )  # fmt: skip
    return await desk.read(asked.run, lambda database: metric(database, query))


async def names(desk: Desk, asked: Asked) -> Names:
    """List what can be chosen in a filter."""
    return await desk.read(asked.run, _names)


def _names(database: Database) -> Names:
    pairs = database.ask("SELECT DISTINCT service, replica FROM resources ORDER BY service, replica")
    return Names(
        services=list(dict.fromkeys(service for service, _ in pairs)),
        replicas=[replica for _, replica in pairs if replica],
        operations=[name for (name,) in database.ask("SELECT DISTINCT name FROM operations ORDER BY name LIMIT 500")],
        keys=[key for (key,) in database.ask("SELECT key FROM keys ORDER BY key LIMIT 500")],
    )


ROUTES = (
    Route(method="GET", path="/api/operations", asked=Range, answer=by_operation),
    Route(method="GET", path="/api/series", asked=SeriesAsked, answer=over_time),
    Route(method="GET", path="/api/edges", asked=Range, answer=ways),
    Route(method="GET", path="/api/metrics", asked=MetricsAsked, answer=metric_names),
    Route(method="GET", path="/api/metrics/{name}", asked=MetricAsked, answer=metric_values),
    Route(method="GET", path="/api/names", asked=Asked, answer=names),
)
