"""Functions whose results are kept: one run for all who ask, and results that end when an event says so."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import msgspec
import pytest

from shoal import Service, Transaction, Valkey
from shoal.drivers.memory import MemoryCache
from shoal.errors import Unavailable
from shoal.runtime.cache import guard, remember
from shoal.runtime.cache.fittings import Keeping
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.metrics.text import render
from shoal.service.cached import remembering
from shoal.testing import MovableClock
from tests.runtime.test_cache import Flighty


class Price(msgspec.Struct):
    sku: str
    cents: int


class Load:
    """What is asked: counts its runs, and holds them until the test lets go."""

    def __init__(self) -> None:
        self.runs = 0
        self.free = asyncio.Event()
        self.free.set()
        self.fails: type[Exception] | None = None
        self.gone = False

    async def __call__(self, sku: str) -> Price | None:
        self.runs += 1
        mine = self.runs
        await self.free.wait()
        if self.fails is not None:
            raise self.fails("no")
        return None if self.gone else Price(sku, mine)


Asking = Callable[[str], Coroutine[Any, Any, Price | None]]


class World:
    """One cache, and as many replicas as a test wants."""

    def __init__(self) -> None:
        self.clock = MovableClock()
        self.cache = Flighty(self.clock)
        self.metrics = Metrics()
        self.load = Load()

    def declare(self, **options: Any) -> Asking:
        async def price(sku: str) -> Price | None:
            return await self.load(sku)

        return Service("prices", cache=Valkey()).cached(**{"ttl": 60.0, **options})(price)

    @contextmanager
    def replica(self) -> Any:
        keeping = Keeping(self.cache, self.metrics)
        token = remembering.set(keeping.remembered)
        yield keeping.remembered
        remembering.reset(token)

    def counted(self, outcome: str) -> int:
        for line in render(self.metrics.snapshot()).decode().splitlines():
            if line.startswith(
                f'shoal_cached_duration_seconds_count{{shoal_function="price",shoal_outcome="{outcome}"}} '
            ):
                return int(line.rpartition(" ")[2])
        return 0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(guard, "PAUSE", 0.0)
    monkeypatch.setattr(remember, "_FIRST", 0.0)
    monkeypatch.setattr(remember, "_LONGEST", 0.0)
    return World()


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_thousand_who_miss_at_once_in_four_replicas_are_one_run(world: World) -> None:
    price = world.declare()
    world.load.free.clear()
    asking = []
    for _ in range(4):
        with world.replica():
            asking += [asyncio.ensure_future(price("a")) for _ in range(250)]
    await turns()
    world.load.free.set()
    found = await asyncio.gather(*asking)
    assert found == [Price("a", 1)] * 1000
    assert world.load.runs == 1
    assert len({id(value) for value in found}) == 1000, "each has a value of his own"
    assert (world.counted("miss"), world.counted("hit"), world.counted("shared")) == (1, 3, 996)


async def test_results_are_told_apart_and_end(world: World) -> None:
    price = world.declare()
    with world.replica():
        assert await price("a") == await price("a") == Price("a", 1)
        assert await price("b") == Price("b", 2)
        world.clock.advance(61)
        assert await price("a") == Price("a", 3)


async def test_without_a_running_service_a_function_is_just_called(world: World) -> None:
    price = world.declare()
    assert [await price("a"), await price("a")] == [Price("a", 1), Price("a", 2)]


async def test_an_old_result_is_given_while_one_makes_a_new_one(world: World) -> None:
    price = world.declare(stale=30.0)
    with world.replica():
        await price("a")
    world.clock.advance(61)
    world.load.free.clear()
    with world.replica():
        making = asyncio.ensure_future(price("a"))
    await turns()
    with world.replica():
        assert await price("a") == Price("a", 1)
    assert world.counted("stale") == 1
    world.load.free.set()
    assert await making == Price("a", 2)
    with world.replica():
        assert await price("a") == Price("a", 2)
    assert world.load.runs == 2


async def test_an_old_result_stands_in_when_no_new_one_can_be_made(world: World) -> None:
    price = world.declare(stale=30.0)
    with world.replica():
        await price("a")
        world.clock.advance(61)
        world.load.fails = OSError
        assert await price("a") == Price("a", 1)
        world.clock.advance(30)
        with pytest.raises(OSError, match="no"):
            await price("a")
        world.load.fails = None
        assert await price("a") == Price("a", 4)


@pytest.mark.parametrize(("absent", "runs"), [(0.0, 2), (5.0, 1)])
async def test_it_is_a_choice_whether_absence_is_remembered(world: World, absent: float, runs: int) -> None:
    price = world.declare(absent=absent)
    world.load.gone = True
    with world.replica():
        assert [await price("a"), await price("a")] == [None, None]
        assert world.load.runs == runs
        world.clock.advance(6)
        world.load.gone = False
        assert await price("a") == Price("a", runs + 1), "and for how long"


async def test_a_failure_is_everybody_s_who_waits_and_is_not_kept(world: World) -> None:
    price = world.declare()
    world.load.free.clear()
    world.load.fails = OSError
    with world.replica():
        asking = [asyncio.ensure_future(price("a")) for _ in range(10)]
        await turns()
        world.load.free.set()
        failed = await asyncio.gather(*asking, return_exceptions=True)
        assert {type(error) for error in failed} == {OSError}
        assert world.load.runs == 1
        world.load.fails = None
        assert await price("a") == Price("a", 2)


async def test_who_waits_takes_the_place_of_who_is_cancelled(world: World) -> None:
    price = world.declare()
    world.load.free.clear()
    with world.replica():
        first, second = (asyncio.ensure_future(price("a")) for _ in range(2))
        await turns()
        first.cancel()
        await turns()
        world.load.free.set()
        assert await second == Price("a", 2)
    assert first.cancelled()


async def test_what_was_made_from_old_data_is_not_kept(world: World) -> None:
    price = world.declare()
    world.load.free.clear()
    with world.replica() as one:
        making = asyncio.ensure_future(price("a"))
        await turns()
        await one.forget(["@price/a"])
        world.load.free.set()
        assert await making == Price("a", 1)
        assert await price("a") == Price("a", 2)


async def test_without_the_cache_each_replica_makes_results_for_itself(world: World) -> None:
    price = world.declare()
    world.cache.away = True
    with world.replica():
        world.load.free.clear()
        asking = [asyncio.ensure_future(price("a")) for _ in range(50)]
        await turns()
        world.load.free.set()
        assert await asyncio.gather(*asking) == [Price("a", 1)] * 50
    assert world.load.runs == 1
    assert world.counted("away") == 1


async def test_a_cache_that_fails_while_a_result_is_made_costs_nothing(world: World) -> None:
    price = world.declare()
    world.load.free.clear()
    with world.replica():
        making = asyncio.ensure_future(price("a"))
        await turns()
        world.cache.away = True
        world.load.free.set()
        assert await making == Price("a", 1)
        world.cache.away = False


async def test_a_result_whose_maker_has_died_is_made_by_who_waited_long(world: World) -> None:
    price = world.declare()
    await world.cache.claim("@price/a", b"dead", remember.CLAIM)
    with world.replica():
        asking = asyncio.ensure_future(price("a"))
        await turns()
        assert world.load.runs == 0
        world.clock.advance(remember.CLAIM)
        assert await asking == Price("a", 1)


async def test_a_result_of_another_shape_is_made_anew(world: World) -> None:
    price = world.declare()
    await world.cache.set({"@price/a": b'{"sku":"a"}'}, 60)
    with world.replica():
        assert await price("a") == Price("a", 1)
        assert await price("a") == Price("a", 1)


async def test_keys_are_spelled_alike_in_every_replica(world: World) -> None:
    service = Service("keys", cache=Valkey())
    runs = itertools.count()

    @service.cached(ttl=60)
    async def several(a: str, b: int = 2, *, c: UUID | None = None) -> int:
        return next(runs)

    @service.cached(ttl=60, key="id")
    async def one(tx: Transaction | None, id: UUID) -> int:
        return next(runs)

    number = UUID(int=1)
    with world.replica():
        assert len({await several("x"), await several("x", 2), await several(a="x", b=2, c=None)}) == 1
        assert len({await several("x"), await several("x", 3), await several("x", c=number), await several("y")}) == 4
        await one(None, number)
        assert isinstance(world.cache, MemoryCache)
        assert f"@one/{number}" in world.cache._kept
        await several("long" * 1000)
        assert max(map(len, world.cache._kept)) < 250


async def test_a_store_that_is_away_is_the_function_s_own_failure(world: World) -> None:
    price = world.declare()
    world.load.fails = Unavailable
    with world.replica(), pytest.raises(Unavailable, match="no"):
        await price("a")
    assert world.load.runs == 1, "it is not taken for a cache that is away"
