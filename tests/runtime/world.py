"""A system in this process with more doors than `MemorySystem` has: its broker, its calls, its log, each service."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from shoal import System
from shoal.drivers.base import Consumer, Message, Stream
from shoal.drivers.memory import MemoryBroker, MemoryStore, MemoryWarehouse
from shoal.errors import Unavailable
from shoal.model import plan
from shoal.model.names import dead_letter_stream
from shoal.model.target import MEMORY
from shoal.runtime.asgi import request
from shoal.runtime.clients import Answer, LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.consuming.letters import Letter, letter_of
from shoal.runtime.gateway import Gateway
from shoal.runtime.host import Fittings, Host
from shoal.runtime.logs import Journal
from shoal.runtime.request import Application
from shoal.runtime.telling import Telemetry
from shoal.service.describe import describe
from shoal.testing import MovableClock, Response
from shoal.testing.http import Client
from shoal.testing.memory import Keys


class Lines(Journal):
    """A journal that keeps what it writes."""

    def __init__(self, service: str) -> None:
        super().__init__(service, "0")
        self._stream = self.kept = io.BytesIO()

    def read(self) -> list[dict[str, Any]]:
        """Return what was written so far."""
        self.flush()
        return [msgspec.json.decode(line) for line in self.kept.getvalue().splitlines()]


class Calls(LocalTransport):
    """Notes each call between services."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, dict[str, str], bytes, float]] = []

    async def send(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, within: float
    ) -> Answer:
        self.seen.append((service, f"{method} {path}", dict(headers), body, within))
        return await super().send(service, method, path, headers, body, within)


class Broker(MemoryBroker):
    """A broker that can be taken away."""

    def __init__(self, clock: MovableClock) -> None:
        super().__init__(clock.monotonic, clock.now)
        clock.watch(self.wake)
        self.away = False

    async def open(self) -> None:
        self._require()

    async def ping(self) -> None:
        self._require()

    async def publish(self, messages: Any, *, after: int | None = None) -> Any:
        self._require()
        return await super().publish(messages, after=after)

    def _require(self) -> None:
        if self.away:
            raise Unavailable("the broker is away")


class World(Client):
    """One system; `post`, `get` and the rest go through its gateway."""

    def __init__(self, declared: System, folder: Path, environ: Mapping[str, str]) -> None:
        super().__init__(self.send)
        self.plan = plan(describe(declared), MEMORY).require()
        self.clock = MovableClock()
        self.broker = Broker(self.clock)
        self.calls = Calls()
        self.keys = Keys(folder, self.plan)
        self.stores = {s.name: MemoryStore() for s in declared.services if s.store}
        self.warehouses = {s.name: MemoryWarehouse() for s in declared.services if s.warehouse}
        self.journals = {s.name: Lines(s.name) for s in declared.services}
        self.telemetry = Telemetry(environ)
        self.recorders = {
            s.name: self.telemetry.recorder(s.name, self._config(s.name, environ)) for s in declared.services
        }
        self.hosts = {s.name: Host(s, self._config(s.name, environ), self._fittings(s.name)) for s in declared.services}
        self.calls.applications.update(self.hosts)
        self.gateway = Gateway(self.plan, self.hosts)

    def _config(self, name: str, environ: Mapping[str, str]) -> ServiceConfig:
        planned = self.plan.service(name)
        ring = environ.get("SHOAL_KEY_RING", "")
        config = ServiceConfig(
            system=self.plan.system.name, entry=planned.entry, environ=environ, drain=2.0, key_ring=ring
        )
        return msgspec.structs.replace(config, **self.keys.config(issues=planned.issues_tokens))

    def _fittings(self, name: str) -> Fittings:
        return Fittings(
            transport=self.calls,
            clock=self.clock,
            store=self.stores.get(name),
            broker=self.broker,
            warehouse=self.warehouses.get(name),
            journal=self.journals[name],
            recorder=self.recorders[name],
        )

    async def declare(self) -> None:
        """Make the streams and consumers that the plan asks for."""
        planned = [c for s in self.plan.services if s.broker for c in s.broker.consumers]
        await self.broker.declare(
            [Stream(name=s.name, subjects=s.subjects) for s in self.plan.streams],
            [Consumer(stream=c.stream, name=c.durable, subjects=c.subjects, ack_wait=c.ack_wait) for c in planned],
        )

    async def send(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send a request with any body through the gateway."""
        return await _ask(self.gateway, method, target, headers or {}, body)

    async def direct(
        self, service: str, method: str, target: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Ask one service, as its neighbours and its probes do."""
        return await _ask(self.hosts[service], method, target, headers or {}, b"")

    def token(self, subject: str, *, lifetime: float = 3600.0, **claims: Any) -> str:
        """Sign a token."""
        return self.keys.sign(subject, self.clock.now().timestamp(), lifetime, claims)

    def dead(self, service: str) -> list[Message]:
        """Return a service's dead letters."""
        stream, subject = dead_letter_stream(self.plan.system.name, service), f".dead.{service}"
        return [message for message in self.broker.log(stream) if message.subject.endswith(subject)]

    def letters(self, service: str) -> list[Letter]:
        """Return what a service's dead letters say."""
        found = [letter_of(message) for message in self.dead(service)]
        return [letter for letter in found if letter is not None]

    def lines(self) -> list[dict[str, Any]]:
        """Return every log line of every service."""
        return [line for journal in self.journals.values() for line in journal.read()]

    async def settle(self) -> None:
        """Wait until every event is announced and handled."""
        async with asyncio.timeout(10):
            while not self.broker.idle() or [1 for s in self.stores.values() if (await s.backlog()).count]:  # noqa: ASYNC110 - no one object knows
                await asyncio.sleep(0.001)


@asynccontextmanager
async def running(declared: System, folder: Path, **environ: str) -> AsyncIterator[World]:
    """Run a system for the time of the block."""
    world = World(declared, folder, environ)
    await world.declare()
    for host in world.hosts.values():
        await host.start()
    try:
        yield world
    finally:
        for host in world.hosts.values():
            await host.stop()


async def _ask(application: Application, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
    """Ask in a task of its own, as a server does."""
    asked = asyncio.create_task(request(application, method, target, headers, body))
    status, received, answer = await asked
    return Response(status, {k.decode(): v.decode("latin-1") for k, v in received}, answer)
