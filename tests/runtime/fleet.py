"""Several replicas of one service in this process, on one store and one clock that tests move."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from shoal import Service
from shoal.drivers.base import Store
from shoal.drivers.memory import MemoryBroker
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from shoal.testing import MovableClock
from tests.runtime.world import Lines

PATIENCE = 20.0


@dataclass(kw_only=True)
class Replicas:
    """What runs."""

    service: Service
    clock: MovableClock
    hosts: list[Host] = field(default_factory=list)
    journals: list[Lines] = field(default_factory=list)

    async def join(self, store: Store) -> Host:
        """Start one more."""
        self.journals.append(Lines(self.service.name))
        fittings = Fittings(
            transport=LocalTransport(),
            clock=self.clock,
            store=store,
            broker=MemoryBroker(self.clock.monotonic) if self.service.publishes else None,
            journal=self.journals[-1],
        )
        config = ServiceConfig(
            system="t", entry=self.service.entry, environ={}, drain=2.0, replica=str(len(self.hosts))
        )
        host = Host(self.service, config, fittings)
        await host.start()
        self.hosts.append(host)
        return host

    async def end(self, host: Host) -> None:
        """Stop one."""
        self.hosts.remove(host)
        await host.stop()

    def lines(self, **wanted: object) -> list[dict[str, object]]:
        """Return the log lines of all that have these fields."""
        found = [line for journal in self.journals for line in journal.read()]
        return [line for line in found if wanted.items() <= line.items()]


@asynccontextmanager
async def replicas(service: Service, stores: Sequence[Store]) -> AsyncIterator[Replicas]:
    """Run one replica for each store; the stores lead to one database."""
    running = Replicas(service=service, clock=MovableClock())
    async with AsyncExitStack() as stack:
        for store in stores:
            await running.join(store)
        stack.push_async_callback(_stop, running)
        yield running


async def _stop(running: Replicas) -> None:
    await asyncio.gather(*(host.stop() for host in running.hosts))


async def until(happened: Callable[[], object] | Callable[[], Awaitable[object]]) -> None:
    """Wait for what must happen."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = happened()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.005)
