"""What a service only knows by asking: whether its engines answer, and how full its outbox is."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, runtime_checkable

from shoal.drivers.base import Backlog, Cache, Store
from shoal.errors import EngineError
from shoal.runtime.backlog import Gauge
from shoal.runtime.metrics.registry import Metrics
from shoal.telemetry.measures import Family, Point
from shoal.telemetry.recorder import Recorder


@runtime_checkable
class Pooled(Protocol):
    """A store that keeps connections."""

    def connections(self) -> tuple[int, int, int, int]:
        """Return how many are in use, how many are idle, how many there may be, and who waits for one."""
        ...


class Vitals:
    """Asks engines when somebody wants to know how the service is, and remembers the answers for the metrics."""

    def __init__(self, metrics: Metrics, store: Store | None, cache: Cache | None, gauge: Gauge | None) -> None:
        self._metrics, self._store, self._cache, self._gauge = metrics, store, cache, gauge
        self.since = metrics.since
        self._up: dict[str, float] = {}
        self._backlog: Backlog | None = None
        metrics.watch("shoal.store.up", lambda: self._up.get("store"))
        metrics.watch("shoal.cache.up", lambda: self._up.get("cache"))
        if gauge is not None:
            metrics.watch("shoal.outbox.pending", self._of(lambda backlog: backlog.count))
            metrics.watch("shoal.outbox.age", self._of(lambda backlog: backlog.age))
            metrics.watch("shoal.outbox.refused", self._of(lambda backlog: backlog.refused))
            metrics.watch("shoal.outbox.bound", self._of(lambda _: gauge.bound))

    async def families(self) -> Sequence[Family]:
        """Ask everything anew and return all that the service measures."""
        store, cache, self._backlog = await asyncio.gather(_up(self._store), _up(self._cache), self._measure())
        self._up = {name: float(up) for name, up in (("store", store), ("cache", cache)) if up is not None}
        return self._metrics.snapshot()

    def _of(self, read: Callable[[Backlog], float]) -> Callable[[], float | None]:
        return lambda: None if self._backlog is None else read(self._backlog)

    async def _measure(self) -> Backlog | None:
        try:
            return await self._gauge.measure() if self._gauge is not None else None
        except EngineError:
            return None


def measuring(service: str, store: object, recorder: Recorder | None, broker: str) -> Metrics:
    """Make the metrics of a service, which tell of its store's connections, and of what is not recorded."""
    metrics = Metrics()
    metrics.always["event"] = (
        ("messaging.system", broker.partition(":")[0] or "memory"),
        ("messaging.operation.name", "process"),
        ("messaging.consumer.group.name", service),
    )
    if recorder is not None:
        queues = (recorder.spans, recorder.logs)
        metrics.watch(
            "shoal.telemetry.dropped", lambda: [Point((("shoal.signal", q.signal),), q.dropped) for q in queues]
        )
    if isinstance(store, Pooled):
        _watch_pool(metrics, service, store)
    return metrics


def _watch_pool(metrics: Metrics, name: str, store: Pooled) -> None:
    pool = (("db.client.connection.pool.name", name),)

    def counts() -> Iterable[Point]:
        used, idle, _, _ = store.connections()
        yield Point((*pool, ("db.client.connection.state", "used")), used)
        yield Point((*pool, ("db.client.connection.state", "idle")), idle)

    metrics.watch("db.client.connection.count", counts)
    metrics.watch("db.client.connection.max", lambda: (Point(pool, store.connections()[2]),))
    metrics.watch("db.client.connection.pending_requests", lambda: (Point(pool, store.connections()[3]),))


async def _up(engine: Store | Cache | None) -> bool | None:
    """Ask an engine whether it is there; None where there is none."""
    if engine is None:
        return None
    try:
        await engine.ping()
    except EngineError:
        return False
    return True
