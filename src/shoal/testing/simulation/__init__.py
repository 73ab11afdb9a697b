"""Simulate a whole system under a seed: real services, virtual time, engines and networks that fail.

::

    class Buying:                                   # a `Scenario`, made anew for each seed
        declared = system

        def faults(self, seed, random): return draw(random, ("orders", "stock"), ("SHOP_ORDERS",), until=5.0)
        def replicas(self, random): return {"orders": 2}
        def overrides(self, world, domain): return {Provider: FakeProvider(world.chance)}
        async def play(self, world): ...            # what clients do; then `world.calm` and `world.settle`
        async def check(self, world): ...           # what does not hold, in sentences

``python -m shoal.testing.simulation package.module:Buying --seeds 1-1000`` runs it; see `sweep` for tests.
"""

from shoal.testing.simulation.domain import Domain
from shoal.testing.simulation.faults import Chance, Fault, Faults, draw
from shoal.testing.simulation.loop import Deadlock, Runaway, VirtualLoop
from shoal.testing.simulation.run import Report, Scenario, simulate
from shoal.testing.simulation.seal import VirtualClock, sealed
from shoal.testing.simulation.sweep import sweep
from shoal.testing.simulation.world import World

__all__ = [
    "Chance",
    "Deadlock",
    "Domain",
    "Fault",
    "Faults",
    "Report",
    "Runaway",
    "Scenario",
    "VirtualClock",
    "VirtualLoop",
    "World",
    "draw",
    "sealed",
    "simulate",
    "sweep",
]
