"""``/health`` (alive), ``/ready`` (may get work), ``/metrics`` and the service's own documents."""

import asyncio
from collections.abc import Awaitable, Callable

from shoal import model
from shoal.drivers.base import Backlog, Broker, Cache, Store
from shoal.errors import EngineError
from shoal.model.asyncapi import asyncapi
from shoal.model.openapi import openapi
from shoal.runtime.backlog import Gauge
from shoal.runtime.endpoint import JSON
from shoal.runtime.metrics import Metrics
from shoal.runtime.request import Response
from shoal.service.codec import encode

TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


FULL = "as many events wait for the broker as may"

LATE_SECONDS = 30.0
"""An event that waits for so long shows that something is wrong."""


class Probes:
    """Answers about one service; none of this is reachable through the gateway."""

    def __init__(
        self,
        service: model.Service,
        metrics: Metrics,
        store: Store | None,
        broker: Broker | None,
        cache: Cache | None = None,
    ) -> None:
        self._service, self._metrics, self._store, self._broker = service, metrics, store, broker
        self._cache = cache
        self.gauge: Gauge | None = None
        """Measures the outbox, where there is one."""

    def table(self) -> dict[str, Callable[[], Awaitable[Response]]]:
        """List the probes by path."""
        return {
            "/health": self.health,
            "/ready": self.ready,
            "/metrics": self.metrics,
            "/openapi.json": self.openapi,
            "/asyncapi.json": self.asyncapi,
        }

    async def health(self) -> Response:
        """Say that the process is alive; nothing outside it is asked."""
        return _json(200, {"status": "alive", "service": self._service.name})

    async def ready(self) -> Response:
        """Say whether requests may come: the store must answer, and the outbox have room while the broker is away.

        A service can do without its cache, so that only makes it degraded.
        """
        store, broker, cache = await asyncio.gather(_ask(self._store), _ask(self._broker), _ask(self._cache))
        asked = {"store": store, "broker": broker, "cache": cache}
        checks = {name: state for name, state in asked.items() if state}
        found = await self._outbox() if store == "ok" else None
        document: dict[str, object] = {"status": "ready", "checks": checks}
        if found is not None and self.gauge is not None:
            document["outbox"] = _numbers(found, self.gauge)
            checks["outbox"] = _judge(found, self.gauge)
        if any(state != "ok" for state in checks.values()):
            document["status"] = "degraded"
        if store not in ("", "ok") or checks.get("outbox") == FULL:
            document["status"] = "unavailable"
        return _json(503 if document["status"] == "unavailable" else 200, document)

    async def metrics(self) -> Response:
        """Show the counters."""
        gauges: dict[str, float] = {}
        if self._cache is not None:
            gauges["shoal_cache_up"] = float(await _ask(self._cache) == "ok")
        if self._store is not None:
            up = await _ask(self._store) == "ok"
            found = await self._outbox() if up else None
            gauges["shoal_store_up"] = float(up)
            if found is not None and self.gauge is not None:
                numbers = _numbers(found, self.gauge)
                gauges |= {f"shoal_outbox_{name}": number for name, number in numbers.items()}
        return Response(200, [TEXT], self._metrics.render(gauges).encode())

    async def _outbox(self) -> Backlog | None:
        """Measure the outbox; None when the store is away."""
        try:
            return await self.gauge.measure() if self.gauge is not None else None
        except EngineError:
            return None

    async def openapi(self) -> Response:
        """Show the OpenAPI document."""
        return _json(200, openapi(self._service))

    async def asyncapi(self) -> Response:
        """Show the AsyncAPI document."""
        return _json(200, asyncapi(self._service))


async def _ask(engine: Store | Broker | Cache | None) -> str:
    if engine is None:
        return ""
    try:
        await engine.ping()
    except EngineError as error:
        return error.message
    return "ok"


def _numbers(backlog: Backlog, gauge: Gauge) -> dict[str, float]:
    return {
        "pending": backlog.count,
        "age_seconds": backlog.age,
        "refused": backlog.refused,
        "bound": gauge.bound,
    }


def _judge(backlog: Backlog, gauge: Gauge) -> str:
    if backlog.count >= gauge.bound:
        return FULL
    if backlog.refused:
        return f"the broker refuses {backlog.refused} events"
    return "events wait for long" if backlog.age > LATE_SECONDS else "ok"


def _json(status: int, document: object) -> Response:
    return Response(status, [JSON], encode(document))
