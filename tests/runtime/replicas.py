"""Further processes of a service of a `World`, which can die."""

import asyncio

import msgspec

from shoal import Service
from shoal.drivers.memory import MemoryStore
from shoal.runtime.host import Fittings, Host
from tests.runtime.world import World


class Replica:
    """One more process of a service."""

    def __init__(self, world: World, service: Service, number: int) -> None:
        first, store = world.hosts[service.name], world.stores[service.name]
        assert isinstance(store, MemoryStore)
        self.store = store.peer()
        fittings = Fittings(
            transport=world.calls, clock=world.clock, store=self.store, broker=world.broker,
            journal=world.journals[service.name],
        )  # fmt: skip
        self.host = Host(service, msgspec.structs.replace(first.config, replica=str(number)), fittings)

    async def start(self) -> "Replica":
        """Start it."""
        await self.host.start()
        return self

    async def stop(self) -> None:
        """Stop it in order."""
        await self.host.stop()

    async def die(self) -> None:
        """End it in the middle of what it does: nothing more of it happens, and its rights pass on."""
        events = self.host._events
        assert events is not None
        tasks = [*events._background, *events._consuming]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.store.vanish()


async def kill(world: World, service: Service) -> None:
    """End the first process of a service as `Replica.die` does."""
    replica = Replica(world, service, 0)
    replica.store, replica.host = world.stores[service.name], world.hosts[service.name]
    await replica.die()
