"""``/health`` (alive), ``/ready`` (may get work), ``/metrics`` and the service's own documents."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from shoal import model
from shoal.drivers.base import Backlog, Broker, Cache, Store
from shoal.errors import EngineError
from shoal.model.asyncapi import asyncapi
from shoal.model.openapi import openapi
from shoal.runtime.backlog import Gauge
from shoal.runtime.endpoint import JSON
from shoal.runtime.metrics import text
from shoal.runtime.metrics.vitals import Vitals
from shoal.runtime.request import Response
from shoal.service.codec import encode

Headers = Mapping[bytes, bytes]

FULL = "as many events wait for the broker as may"

LATE_SECONDS = 30.0
"""An event that waits for so long shows that something is wrong."""


class Probes:
    """Answers about one service; none of this is reachable through the gateway."""

    def __init__(
        self,
        service: model.Service,
        vitals: Vitals,
        store: Store | None,
        broker: Broker | None,
        cache: Cache | None,
        gauge: Gauge | None,
    ) -> None:
        self._service, self._vitals, self._store, self._broker = service, vitals, store, broker
        self._cache = cache
        self._gauge = gauge

    def table(self) -> dict[str, Callable[[Headers], Awaitable[Response]]]:
        """List the probes by path."""
        return {
            "/health": self.health,
            "/ready": self.ready,
            "/metrics": self.metrics,
            "/openapi.json": self.openapi,
            "/asyncapi.json": self.asyncapi,
        }

    async def health(self, _: Headers) -> Response:
        """Say that the process is alive; nothing outside it is asked."""
        return _json(200, {"status": "alive", "service": self._service.name})

    async def ready(self, _: Headers) -> Response:
        """Say whether requests may come: the store must answer, and the outbox have room while the broker is away.

        A service can do without its cache, so that only makes it degraded.
        """
        store, broker, cache = await asyncio.gather(_ask(self._store), _ask(self._broker), _ask(self._cache))
        asked = {"store": store, "broker": broker, "cache": cache}
        checks = {name: state for name, state in asked.items() if state}
        found = await self._outbox() if store == "ok" else None
        document: dict[str, object] = {"status": "ready", "checks": checks}
        if found is not None and self._gauge is not None:
            document["outbox"] = _numbers(found, self._gauge)
            checks["outbox"] = _judge(found, self._gauge)
        if any(state != "ok" for state in checks.values()):
            document["status"] = "degraded"
        if store not in ("", "ok") or checks.get("outbox") == FULL:
            document["status"] = "unavailable"
        return _json(503 if document["status"] == "unavailable" else 200, document)

    async def metrics(self, headers: Headers) -> Response:
        """Show what is measured; with exemplars to who asks for OpenMetrics."""
        opened = text.is_open(headers.get(b"accept", b""))
        body = text.render(await self._vitals.families(), exemplars=opened)
        return Response(200, [(b"content-type", text.OPEN if opened else text.PLAIN)], body)

    async def _outbox(self) -> Backlog | None:
        """Measure the outbox; None when the store is away."""
        try:
            return await self._gauge.measure() if self._gauge is not None else None
        except EngineError:
            return None

    async def openapi(self, _: Headers) -> Response:
        """Show the OpenAPI document."""
        return _json(200, openapi(self._service))

    async def asyncapi(self, _: Headers) -> Response:
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
