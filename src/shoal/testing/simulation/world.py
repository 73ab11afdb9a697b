"""A whole system in virtual time: real hosts on model engines, with replicas, and everything that can fail."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from random import Random
from typing import Any

from shoal.drivers.base import Consumer, Stream
from shoal.drivers.memory import MemoryCache, MemoryStore
from shoal.errors import CallFailed, CallTimedOut, ShoalError
from shoal.model import Plan, plan
from shoal.model.target import MEMORY
from shoal.runtime.asgi import request
from shoal.runtime.config import ServiceConfig
from shoal.runtime.gateway import Gateway
from shoal.runtime.host import Fittings, Host
from shoal.runtime.request import Application, Receive, Scope, Send, send_response
from shoal.runtime.request import Response as Answer
from shoal.service.declare import Service
from shoal.service.describe import describe
from shoal.service.system import System
from shoal.testing.http import Client, Response
from shoal.testing.rings import ring_for
from shoal.testing.simulation.broker import ModelBroker
from shoal.testing.simulation.database import Database
from shoal.testing.simulation.disasters import PATIENCE, Disasters
from shoal.testing.simulation.domain import Domain
from shoal.testing.simulation.faults import Chance, Faults
from shoal.testing.simulation.loop import VirtualLoop
from shoal.testing.simulation.network import Line, Network
from shoal.testing.simulation.process import Process
from shoal.testing.simulation.seal import VirtualClock
from shoal.testing.simulation.trace import Trace

Overrides = Callable[[Domain], Mapping[Any, Any]]
"""Gives a process values in place of provided ones, by type."""

WATCH = 1.0
"""Seconds between two looks of the operator for streams that are gone."""

REQUEST = 10.0
"""Seconds that a client's request gets."""

_described: dict[int, tuple[System, Plan]] = {}


class World(Client):
    """A running system; `post`, `get` and the rest go through its gateway, as from outside.

    Args:
        declared: The system.
        random: Where every draw comes from.
        faults: What goes wrong.
        replicas: By service; one where nothing is said.
        overrides: Gives each process values in place of provided ones.
    """

    def __init__(
        self,
        declared: System,
        *,
        loop: VirtualLoop,
        random: Random,
        faults: Faults,
        replicas: Mapping[str, int] | None = None,
        overrides: Overrides = lambda _: {},
    ) -> None:
        super().__init__(self._through_gateway)
        self.declared, self.plan = declared, _planned(declared)
        self.loop, self.random, self.faults = loop, random, faults
        self.clock, self.trace = VirtualClock(loop), Trace(loop)
        self.chance = Chance(Random(random.getrandbits(64)), faults)
        self._caches = {s.name: MemoryCache(loop.time) for s in declared.services if s.cache is not None}
        self._rings = {s.name: ring_for(s) for s in declared.services}
        self.broker = ModelBroker(loop, self.clock, self.chance)
        self.databases = {
            service.name: Database(service.name, MemoryStore(lambda: self.clock.now().timestamp()), self.chance)
            for service in declared.services
            if service.store is not None
        }
        self.processes: dict[str, Process] = {}
        self.network = Network(self.chance, self.replicas)
        self._overrides = overrides
        self._services = {service.name: service for service in declared.services}
        self._sizes = {service.name: (replicas or {}).get(service.name, 1) for service in declared.services}
        self._lives = 0
        self._outside = copy_context()
        self._tasks: list[asyncio.Task[Any]] = []
        self._gateway = Gateway(self.plan, {name: self._forward(name) for name in self._services})
        self.disasters = Disasters(self)

    async def start(self) -> None:
        """Start every engine and every process, and let the faults come."""
        await self._declare()
        for name, size in self._sizes.items():
            for number in range(size):
                self.launch(f"{name}/{number}")
        self._tasks.append(asyncio.create_task(self._operate()))
        if falls := [fault.at for fault in self.faults.schedule if fault.back]:
            self._tasks.append(asyncio.create_task(self.broker.keep_copies(until=max(falls))))
        self._tasks.append(asyncio.create_task(self.disasters.run()))

    def launch(self, name: str) -> None:
        """Start a process; one that cannot start is started again, as a supervisor does."""
        service = self._services[name.partition("/")[0]]
        self._lives += 1
        self.trace.note("start", name)
        process = self.processes[name] = Process(name, lambda domain: self._host(service, domain, name), self.trace)
        process.starting.add_done_callback(lambda task: self._started(process, task))

    def _started(self, process: Process, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None and self.processes.get(process.name) is process:
            self.trace.note("could not start", process.name, repr(task.exception()))
            self.kill(process.name, 0.5)

    def kill(self, name: str, seconds: float) -> None:
        """End a process as SIGKILL does, and start it again after a while."""
        process = self.processes.pop(name, None)
        if process is None:
            return
        self.trace.note("killed", name)
        process.kill()
        self._let_go(process)
        self.loop.call_later(seconds, self.launch, name, context=self._outside.copy())

    def _let_go(self, process: Process) -> None:
        for database in self.databases.values():
            database.drop(process.domain)
        self.broker.drop(process.domain)

    def abandon(self, process: Process) -> None:
        """Let the engines give up a process that is silent."""
        for database in self.databases.values():
            database.drop(process.domain)
        self.broker.forsake(process.domain)

    def hang(self, name: str, seconds: float) -> None:
        """Freeze a process now, for a while."""
        process = self.processes.get(name)
        if process is not None:
            process.domain.freeze()
            if seconds > PATIENCE:
                self.loop.call_later(PATIENCE, self.abandon, process, context=self._outside.copy())
            self.loop.call_later(seconds, self.thaw, process, context=self._outside.copy())

    def thaw(self, process: Process) -> None:
        """Let a frozen process go on with all that became due meanwhile."""
        for handle in process.domain.thaw():
            self.loop.give_back(handle)

    def replicas(self, service: str) -> Sequence[Process]:
        """List the replicas of a service that answer requests."""
        return [p for name, p in self.processes.items() if name.partition("/")[0] == service and p.ready]

    def running(self) -> bool:
        """Tell whether every process is up."""
        up = [p for p in self.processes.values() if p.ready and not p.domain.frozen]
        return len(up) == sum(self._sizes.values())

    async def calm(self) -> None:
        """Let no further fault come, and wait until those that came are over and every process is up."""
        self.chance.calm = True
        await self.disasters.over()
        async with asyncio.timeout(60):
            while not self.running():
                await asyncio.sleep(0.1)

    async def settle(self, *, within: float) -> None:
        """Wait until every event is announced and handled; raises `ShoalError` after `within` virtual seconds."""
        try:
            async with asyncio.timeout(within):
                while not await self.quiet():
                    await asyncio.sleep(0.25)
        except TimeoutError:
            raise ShoalError(
                f"the system did not come to rest within {within:g} virtual seconds: {await self._busy()}"
            ) from None

    async def quiet(self) -> bool:
        """Tell whether nothing waits in any outbox, nor for any consumer."""
        return not await self._busy()

    async def _busy(self) -> dict[str, int]:
        found = {}
        for name, database in self.databases.items():
            found[f"outbox of {name}"] = (await database.memory.backlog()).count
        held = await self.broker.positions()
        for stream in self.plan.streams:
            lags = await self.broker.lags(stream.name) if stream.name in held else {"nothing": 1}
            found |= {f"{name} of {stream.name}": lag for name, lag in lags.items()}
        return {name: count for name, count in found.items() if count}

    async def stop(self) -> None:
        """Freeze what was recorded; nothing is shut down, for the loop ends as a machine that is switched off."""
        self.trace.over = True
        for task in self._tasks:
            task.cancel()

    async def _declare(self) -> None:
        planned = [c for s in self.plan.services if s.broker for c in s.broker.consumers]
        streams = [Stream(name=s.name, subjects=s.subjects) for s in self.plan.streams]
        consumers = [
            Consumer(stream=c.stream, name=c.durable, subjects=c.subjects, ack_wait=c.ack_wait) for c in planned
        ]
        if self.broker.lacks(streams, consumers):
            await self.broker.declare(streams, consumers)

    async def _operate(self) -> None:
        """Make missing streams again, as the operator's watch does."""
        while True:
            await asyncio.sleep(WATCH)
            if self.broker.up:
                await self._declare()

    def _host(self, service: Service, domain: Domain, name: str) -> Host:
        database = self.databases.get(service.name)
        planned = self.plan.service(service.name)
        config = ServiceConfig(
            system=self.plan.system.name, entry=planned.entry, replica=f"{name.partition('/')[2]}.{self._lives}"
        )
        fittings = Fittings(
            transport=Line(self.network),
            clock=self.clock,
            store=database.connect(domain) if database is not None else None,
            broker=self.broker.connect(domain),
            cache=self._caches.get(service.name),
            key_ring=self._rings[service.name],
            overrides=dict(self._overrides(domain)),
        )
        return Host(service, config, fittings)

    def _forward(self, service: str) -> Application:
        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            body = (await receive()).get("body", b"")
            query = scope["query_string"].decode()
            target = scope["raw_path"].decode() + (f"?{query}" if query else "")
            headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
            try:
                found = await self.network.send(service, scope["method"], target, headers, body, within=REQUEST)
            except CallFailed as error:
                await send_response(send, Answer(504 if isinstance(error, CallTimedOut) else 503, [], b""))
                return
            encoded = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in found.headers.items()]
            await send_response(send, Answer(found.status, encoded, found.body))

        return application

    async def _through_gateway(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Response:
        status, received, answer = await request(self._gateway, method, target, headers, body)
        return Response(status, {k.decode(): v.decode("latin-1") for k, v in received}, answer)


def _planned(declared: System) -> Plan:
    """Plan a system once for all its simulations."""
    known = _described.get(id(declared))
    if known is None:
        known = _described[id(declared)] = declared, plan(describe(declared), MEMORY).require()
    return known[1]
