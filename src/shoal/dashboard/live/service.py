"""One service: what it promises and how it does, as a whole, by operation and by replica. Pure."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from shoal import model
from shoal.dashboard.live import readings
from shoal.dashboard.live.map import processes_of
from shoal.dashboard.live.readings import Sample
from shoal.dashboard.store.reading import Operation
from shoal.dashboard.store.reading.metrics import MetricSeries
from shoal.local.state import ProcessState, RunState
from shoal.local.usage import Usage

_KINDS = ("server", "consumer")
"""Kinds of spans of what a service is asked for; what it asks of others is told by the ways from it."""

_FAILED = 500
"""From which status on an answer is a failure: what is refused is an answer."""


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """Golden signals of one operation; durations are milliseconds."""

    name: str
    kind: str
    """``server`` for requests, ``consumer`` for events."""
    count: int = 0
    errors: int = 0
    rate: float = 0.0
    p50: float | None = None
    p99: float | None = None
    error_p50: float | None = None
    error_p99: float | None = None
    source: str = ""
    endpoint: str = ""
    objectives: tuple[str, ...] = ()


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a service."""

    name: str
    status: str
    pid: int
    restarts: int
    version: str = ""
    """Which version it is, while there are two."""
    cpu: float | None = None
    """Processors."""
    memory: int | None = None
    active: float | None = None
    """Requests in flight."""
    used: float | None = None
    """Connections of its pool that are lent."""
    most: float | None = None
    rate: float | None = None
    """Requests a second, lately."""
    errors: float | None = None
    """How many of these failed."""
    p99: float | None = None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """All replicas of one version."""

    name: str
    """Empty for the present one."""
    replicas: int
    rate: float
    errors: float
    """A second, like `rate`."""
    p99: float | None
    """Of its slowest replica, in milliseconds."""


def signals(service: model.Service, seen: Iterable[Operation]) -> list[Signals]:
    """Join what was seen with what is declared; what nobody asked for is listed, too."""
    declared = {f"{e.method} {e.path}": e for e in service.endpoints}
    handled = {f"process {event}": s.source for s in service.subscriptions for event in s.heard}
    found = [_seen(one, declared.get(one.name), handled.get(one.name, "")) for one in seen if one.kind in _KINDS]
    there = {one.name for one in found}
    idle = [_idle(name, endpoint) for name, endpoint in declared.items() if name not in there]
    return [*sorted(found, key=lambda one: -one.count), *idle]


def whole(seen: Sequence[Signals]) -> dict[str, float | int | None]:
    """Sum up what was asked; the slowest operation says how slow the service is."""
    asked = [one for one in seen if one.count]
    return {
        "count": sum(one.count for one in asked),
        "errors": sum(one.errors for one in asked),
        "rate": sum(one.rate for one in asked),
        "p50": max((one.p50 for one in asked if one.p50 is not None), default=None),
        "p99": max((one.p99 for one in asked if one.p99 is not None), default=None),
        "error_p50": max((one.error_p50 for one in asked if one.error_p50), default=None),
        "error_p99": max((one.error_p99 for one in asked if one.error_p99), default=None),
    }


def replicas(
    service: str,
    run: RunState | None,
    usage: Mapping[int, Usage],
    samples: Sequence[Sample],
    durations: Sequence[MetricSeries],
) -> list[Replica]:
    """List the processes of a service with what each has in hand.

    Args:
        service: Its name.
        run: What runs; None when nothing does.
        usage: What processes use, by their id.
        samples: What they say of themselves.
        durations: How long requests took, as it was recorded, by replica.
    """
    found = []
    for process in processes_of(run, service):
        said = [sample for sample in samples if sample.replica == process.name]
        recorded = [one for one in durations if one.replica == process.name]
        found.append(_replica(process, usage.get(process.pid), said, recorded))
    return found


def versions(replicas: Sequence[Replica]) -> list[Version]:
    """Sum replicas up by version, the present one first."""
    found: dict[str, list[Replica]] = {}
    for one in replicas:
        found.setdefault(one.version, []).append(one)
    return [
        Version(
            name=name,
            replicas=len(some),
            rate=sum(one.rate or 0.0 for one in some),
            errors=sum(one.errors or 0.0 for one in some),
            p99=max((one.p99 for one in some if one.p99 is not None), default=None),
        )
        for name, some in sorted(found.items())
    ]


def _replica(
    process: ProcessState, usage: Usage | None, said: Sequence[Sample], recorded: Sequence[MetricSeries]
) -> Replica:
    used = [sample for sample in said if sample.labels.get("db_client_connection_state") == "used"]
    return Replica(
        name=process.name,
        status=process.status,
        pid=process.pid,
        restarts=process.restarts,
        version=second(process),
        cpu=usage.cpu if usage else None,
        memory=usage.memory if usage else None,
        active=readings.total(said, "http_server_active_requests"),
        used=readings.total(used, "db_client_connection_count"),
        most=readings.total(said, "db_client_connection_max"),
        rate=sum(one.values[-1] for one in recorded if one.values) if recorded else None,
        errors=sum(one.values[-1] for one in recorded if one.values and _failed(one)) if recorded else None,
        p99=_slowest(recorded),
    )


def _seen(one: Operation, endpoint: model.Endpoint | None, handled: str) -> Signals:
    return Signals(
        name=one.name,
        kind=one.kind,
        count=one.count,
        errors=one.errors,
        rate=one.rate,
        p50=one.p50,
        p99=one.p99,
        error_p50=one.error_p50 if one.errors else None,
        error_p99=one.error_p99 if one.errors else None,
        source=endpoint.source if endpoint else handled,
        endpoint=endpoint.name if endpoint else "",
        objectives=_promises(endpoint),
    )


def _idle(name: str, endpoint: model.Endpoint) -> Signals:
    return Signals(
        name=name, kind="server", source=endpoint.source, endpoint=endpoint.name, objectives=_promises(endpoint)
    )


def _promises(endpoint: model.Endpoint | None) -> tuple[str, ...]:
    return tuple(one.promise for one in endpoint.objectives) if endpoint is not None else ()


def second(process: ProcessState) -> str:
    """Take the version out of the name of a second one's process, such as ``orders-canary-0``; others bear none."""
    own = process.name.removeprefix(f"{process.service}-") if process.kind == "service" and process.service else ""
    return own.rpartition("-")[0]


def _failed(series: MetricSeries) -> bool:
    status = series.attributes.get("http.response.status_code", 0)
    return isinstance(status, int) and status >= _FAILED


def _slowest(series: Sequence[MetricSeries]) -> float | None:
    latest = [values[-1] for one in series if (values := one.quantiles.get("p99")) and values[-1] is not None]
    return max(latest) * 1000 if latest else None
