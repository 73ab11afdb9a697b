"""One service with its golden signals."""

import asyncio
import time
from typing import Any

from shoal.dashboard.live import readings
from shoal.dashboard.live import service as live
from shoal.dashboard.live.map import drawn, processes_of
from shoal.dashboard.server.api.topology import observed
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route, Window
from shoal.dashboard.server.recorded import recorded
from shoal.dashboard.store.reading import MetricQuery, SeriesQuery, metric, operations, series
from shoal.local.usage import Meter

_METER = Meter()
_LATELY = 60.0


class One(Window, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service in a time."""

    name: str


class Series(Window, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service, or one of its operations, over time."""

    name: str
    operation: str = ""
    kind: str = ""


async def listed(desk: Desk, _: Asked) -> object:
    """List the services."""
    system = await desk.live.system()
    return {"items": [{"name": s.name, "summary": s.summary} for s in system.services]}


async def shown(desk: Desk, asked: One) -> object:
    """Return what a service is and how it does."""
    system = await desk.live.system()
    declared, run = system.service(asked.name), desk.live.run()
    since, until = asked.since or None, asked.until or None
    found = await recorded(desk, asked.run, lambda file: operations(file, service=asked.name, since=since, until=until))
    seen = live.signals(declared, found.items if found else ())
    samples = await readings.read(run, asked.name) if run is not None else []
    pids = [process.pid for process in processes_of(run, asked.name)]
    usage = await asyncio.to_thread(_METER.look, pids) if pids else {}
    circuits = readings.circuits(samples)
    replicas = live.replicas(asked.name, run, usage, samples, await _durations(desk, asked))
    ways = drawn(system, await observed(desk, asked.run, asked.since, asked.until), run=run, circuits=circuits).edges
    return {
        "name": asked.name,
        "summary": declared.summary,
        "version": declared.version,
        "source": declared.source,
        "live": run is not None,
        "objectives": [one.promise for one in declared.objectives],
        "whole": live.whole(seen),
        "operations": seen,
        "replicas": replicas,
        "versions": live.versions(replicas),
        "circuits": circuits,
        "callers": [way for way in ways if way.target == asked.name],
        "callees": [way for way in ways if way.source == asked.name],
    }


async def over_time(desk: Desk, asked: Series) -> object:
    """Return golden signals over time, and what the processes used meanwhile."""
    since, until = asked.since or None, asked.until or None
    query = SeriesQuery(service=asked.name, operation=asked.operation, kind=asked.kind, since=since, until=until)
    found = await recorded(desk, asked.run, lambda file: series(file, query))
    used: dict[str, Any] = {}
    for name in ("process.cpu.time", "process.memory.usage", "http.server.active_requests"):
        wish = MetricQuery(name=name, service=asked.name, since=since, until=until, step=4.0)
        told = await recorded(desk, asked.run, lambda file, wish=wish: metric(file, wish))  # type: ignore[misc]
        used[name] = told.series if told is not None else []
    return {"signals": found, "used": used}


async def _durations(desk: Desk, asked: One) -> Any:
    since = (time.time() - _LATELY) * 1000
    wish = MetricQuery(name="http.server.request.duration", service=asked.name, since=since)
    found = await recorded(desk, asked.run, lambda file: metric(file, wish))
    return found.series if found is not None else []


ROUTES = (
    Route(method="GET", path="/api/services", asked=Asked, answer=listed),
    Route(method="GET", path="/api/services/{name}", asked=One, answer=shown),
    Route(method="GET", path="/api/services/{name}/series", asked=Series, answer=over_time),
)
