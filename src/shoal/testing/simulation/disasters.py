"""Carry out the large faults of a schedule."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from shoal.testing.simulation.broker import ModelBroker
from shoal.testing.simulation.database import Database
from shoal.testing.simulation.faults import Chance, Fault, Faults
from shoal.testing.simulation.loop import VirtualLoop
from shoal.testing.simulation.process import Process
from shoal.testing.simulation.trace import Trace

PATIENCE = 3.0
"""Seconds of silence after which engines give up a client."""

ANYWHERE = 120
"""Steps of a process, after one of which it is struck: at any of its awaits."""


SOON = 1.0
"""Seconds within which a process makes those steps, or is spared."""


class Stricken(Protocol):
    """What is struck: a simulated world."""

    loop: VirtualLoop
    faults: Faults
    chance: Chance
    trace: Trace
    broker: ModelBroker

    @property
    def databases(self) -> Mapping[str, Database]:
        """The stores by service."""

    @property
    def processes(self) -> Mapping[str, Process]:
        """The living processes by name."""

    def kill(self, name: str, seconds: float) -> None:
        """End a process, and start it again after a while."""

    def abandon(self, process: Process) -> None:
        """Let the engines give up a process that is silent."""

    def thaw(self, process: Process) -> None:
        """Let a frozen process go on."""


class Disasters:
    """Strikes when the schedule says."""

    def __init__(self, world: Stricken) -> None:
        self._world = world
        self._going_on: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Strike, one fault after the other, without waiting for their ends."""
        for fault in self._world.faults.schedule:
            await asyncio.sleep(max(0.0, fault.at - self._world.loop.time()))
            if self._world.chance.calm:
                return
            task = asyncio.create_task(self.strike(fault))
            self._going_on.add(task)

    async def over(self) -> None:
        """Wait until all that began has ended."""
        if self._going_on:
            await asyncio.wait(self._going_on)

    async def strike(self, fault: Fault) -> None:
        """Let one fault happen and end."""
        world = self._world
        world.trace.note("fault", fault.kind, fault.target, round(fault.seconds, 3), round(fault.back, 3))
        if fault.kind in ("broker-crash", "broker-older"):
            world.broker.crash(fault.back)
            await asyncio.sleep(fault.seconds)
            world.broker.start()
        elif fault.kind == "store-crash":
            database = world.databases[fault.target]
            database.crash()
            await asyncio.sleep(fault.seconds)
            database.start()
        elif fault.kind == "stream-gone":
            world.broker.lose(fault.target)
        else:
            replicas = [p for n, p in world.processes.items() if n.partition("/")[0] == fault.target]
            if replicas:
                await self._strike(replicas[world.chance.below(len(replicas))], fault)
        world.trace.note("over", fault.kind, fault.target)

    async def _strike(self, process: Process, fault: Fault) -> None:
        world, name = self._world, process.name
        if fault.kind == "crash":
            process.domain.after(world.chance.below(ANYWHERE), lambda: world.kill(name, fault.seconds))
            await asyncio.sleep(SOON)
            process.domain.spare()
        elif fault.kind == "freeze":
            process.domain.after(world.chance.below(ANYWHERE), process.domain.freeze)
            await asyncio.sleep(min(PATIENCE, fault.seconds))
            if process.domain.frozen and fault.seconds > PATIENCE:
                world.abandon(process)
                await asyncio.sleep(fault.seconds - PATIENCE)
            process.domain.spare()
            world.thaw(process)
        elif fault.kind == "store-cut":
            database = world.databases[fault.target]
            database.cut(process.domain, off=True)
            await asyncio.sleep(fault.seconds)
            database.cut(process.domain, off=False)
        elif fault.kind == "broker-cut":
            world.broker.cut(process.domain, off=True)
            await asyncio.sleep(fault.seconds)
            world.broker.cut(process.domain, off=False)
