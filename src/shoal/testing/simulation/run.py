"""Run one seed of a scenario, from the first event to the verdict."""

import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Protocol

import msgspec

from shoal.service.system import System
from shoal.testing.simulation.domain import Domain
from shoal.testing.simulation.faults import Faults
from shoal.testing.simulation.loop import new_loop
from shoal.testing.simulation.seal import sealed
from shoal.testing.simulation.trace import TraceHandler
from shoal.testing.simulation.world import World


class Scenario(Protocol):
    """What is simulated: a system, what its clients do, and what must hold in the end. Made anew for each seed."""

    declared: System

    def faults(self, seed: int, random: Random) -> Faults:
        """Draw what goes wrong."""
        ...

    def replicas(self, random: Random) -> Mapping[str, int]:
        """Draw how many replicas each service has."""
        ...

    def overrides(self, world: World, domain: Domain) -> Mapping[Any, Any]:
        """Give a process its fakes, by type."""
        ...

    async def play(self, world: World) -> None:
        """Do what clients do, while faults happen; then let the system come to rest."""
        ...

    async def check(self, world: World) -> Sequence[str]:
        """Say in sentences what does not hold that should."""
        ...


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one seed."""

    seed: int
    violations: tuple[str, ...]
    faults: str
    fingerprint: int
    """Equal for equal runs: a digest of every scheduling choice and every entry of the trace."""
    steps: int
    virtual: float
    """Virtual seconds."""
    seconds: float
    struck: dict[str, int] = {}
    """How often each small fault happened."""
    trace: tuple[str, ...] = ()
    """What happened; only kept where something does not hold, or when asked for."""

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {'; '.join(self.violations) or 'everything holds'}", self.faults, *self.trace]
        return "\n".join(lines)


def simulate(scenario: Scenario, seed: int, *, keep_trace: bool = False) -> Report:
    """Run a scenario under one seed; equal seeds run alike, where ``PYTHONHASHSEED`` is equal."""
    began = time.process_time()
    random = Random(f"{seed}/world")
    loop = new_loop(Random(f"{seed}/loop"))
    faults = scenario.faults(seed, random)
    replicas = scenario.replicas(random)
    with sealed(loop, str(seed)), quiet_logs() as logs:
        world = World(
            scenario.declared,
            loop=loop,
            random=random,
            faults=faults,
            replicas=replicas,
            overrides=lambda domain: scenario.overrides(world, domain),
        )
        logs.append(TraceHandler(world.trace))
        loop.set_exception_handler(lambda _, context: world.trace.note("unawaited", repr(context.get("exception"))))
        violations = loop.run_until_complete(_play(scenario, world))
        found = (loop.fingerprint, world.trace.digest, loop.steps, round(loop.time(), 6))
        loop.close()
    return Report(
        seed=seed,
        violations=tuple(violations),
        faults=f"replicas {dict(replicas)}; {faults}",
        fingerprint=hash(found),
        steps=loop.steps,
        virtual=loop.time(),
        seconds=time.process_time() - began,
        struck=world.chance.struck,
        trace=tuple(world.trace.lines()) if violations or keep_trace else (),
    )


async def _play(scenario: Scenario, world: World) -> Sequence[str]:
    try:
        await world.start()
        await scenario.play(world)
        violations = await scenario.check(world)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is this seed's verdict
        where = "".join(traceback.format_exception(error)[-3:]).strip()
        violations = [f"{type(error).__name__}: {error}\n{where}"]
    await world.stop()
    return violations


class quiet_logs:  # noqa: N801 - used as a function is
    """Lead the log of the code under test into a list of handlers, and nowhere else."""

    def __enter__(self) -> "list[logging.Handler]":
        self._logger = logging.getLogger("shoal")
        self._before = self._logger.handlers, self._logger.propagate, self._logger.level
        handlers: list[logging.Handler] = []
        self._logger.handlers, self._logger.propagate = handlers, False
        self._logger.setLevel(logging.INFO)
        return handlers

    def __exit__(self, *_: object) -> None:
        self._logger.handlers, self._logger.propagate = self._before[0], self._before[1]
        self._logger.setLevel(self._before[2])
