"""A thousand who miss at once, in four processes' worth of replicas, against one Valkey."""

import asyncio
import time
from dataclasses import dataclass

from bench.cache.sides import PART
from shoal import Service, Valkey
from shoal.drivers.valkey import ValkeyCache, prefix_of
from shoal.drivers.valkey.link import Door, Link
from shoal.runtime.cache.fittings import Keeping
from shoal.runtime.metrics.registry import Metrics
from shoal.service.cached import remembering

ASKING, REPLICAS, LOAD = 1_000, 4, 0.1
"""How many ask, over how many replicas, and the seconds that the load takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stampede:
    """What became of it."""

    loads: int
    seconds: float
    """Until the last had the result."""


async def stampede(door: Door, turn: int) -> Stampede:
    """Ask for something that nobody has asked for before."""
    service, loads = Service("bench", cache=Valkey()), 0

    @service.cached(ttl=60.0)
    async def dear(turn: int) -> str:
        nonlocal loads
        loads += 1
        await asyncio.sleep(LOAD)
        return f"result {turn}"

    caches = [ValkeyCache(Link(door), prefix_of(PART)) for _ in range(REPLICAS)]
    for cache in caches:
        await cache.open()
    asking: list[asyncio.Task[str]] = []
    began = time.perf_counter()
    for cache in caches:
        token = remembering.set(Keeping(cache, Metrics()).remembered)
        asking += [asyncio.ensure_future(dear(turn)) for _ in range(ASKING // REPLICAS)]
        remembering.reset(token)
    found = await asyncio.gather(*asking)
    seconds = time.perf_counter() - began
    for cache in caches:
        await cache.close()
    if set(found) != {f"result {turn}"}:
        raise RuntimeError(f"{set(found)} was given for turn {turn}")
    return Stampede(loads=loads, seconds=seconds)
