"""``/health`` (alive), ``/ready`` (may get work), ``/metrics`` and the service's own documents."""

import asyncio
from collections.abc import Awaitable, Callable

from shoal import model
from shoal.drivers.base import Broker, Store
from shoal.errors import EngineError
from shoal.model.asyncapi import asyncapi
from shoal.model.openapi import openapi
from shoal.runtime.endpoint import JSON
from shoal.runtime.metrics import Metrics
from shoal.runtime.request import Response
from shoal.service.codec import encode

TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


class Probes:
    """Answers about one service; none of this is reachable through the gateway."""

    def __init__(self, service: model.Service, metrics: Metrics, store: Store | None, broker: Broker | None) -> None:
        self._service, self._metrics, self._store, self._broker = service, metrics, store, broker

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
        """Say whether requests may come: the store must answer; without the broker, events wait in the outbox."""
        store, broker = await asyncio.gather(_ask(self._store), _ask(self._broker))
        checks = {name: state for name, state in (("store", store), ("broker", broker)) if state}
        status = 200 if store in ("", "ok") else 503
        whole = "ready" if broker in ("", "ok") else "degraded"
        return _json(status, {"status": whole if status == 200 else "unavailable", "checks": checks})

    async def metrics(self) -> Response:
        """Show the counters."""
        gauges: dict[str, float] = {}
        if self._store is not None:
            try:
                backlog = await self._store.backlog()
                gauges = {
                    "shoal_outbox_pending": backlog.count,
                    "shoal_outbox_age_seconds": backlog.age,
                    "shoal_store_up": 1.0,
                }
            except EngineError:
                gauges = {"shoal_store_up": 0.0}
        return Response(200, [TEXT], self._metrics.render(gauges).encode())

    async def openapi(self) -> Response:
        """Show the OpenAPI document."""
        return _json(200, openapi(self._service))

    async def asyncapi(self) -> Response:
        """Show the AsyncAPI document."""
        return _json(200, asyncapi(self._service))


async def _ask(engine: Store | Broker | None) -> str:
    if engine is None:
        return ""
    try:
        await engine.ping()
    except EngineError as error:
        return error.message
    return "ok"


def _json(status: int, document: object) -> Response:
    return Response(status, [JSON], encode(document))
