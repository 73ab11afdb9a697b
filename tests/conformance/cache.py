"""What every cache keeps: ends, single steps, claims, leases with fencing tokens, and each service's own part."""

import asyncio
from typing import Protocol

import pytest

from shoal.drivers.base import Cache
from shoal.errors import EngineError, Unavailable
from tests.conformance.harness import soon

TTL = 60.0
MINE, THEIRS = "shop:carts", "shop:orders"


class CacheHarness(Protocol):
    """An empty cache for the test."""

    capabilities: frozenset[str]

    async def cache(self, name: str = MINE) -> Cache:
        """Open another connection to one service's part, as another replica would; the harness closes it."""
        ...

    async def later(self, seconds: float) -> None:
        """Have so much time passed for everything that is kept."""
        ...

    async def crash(self) -> None:
        """Kill the engine with SIGKILL."""
        ...

    async def start(self) -> None:
        """Start it again."""
        ...


class ValueContract:
    """Values."""

    async def test_values_are_found_until_they_are_removed(self, harness: CacheHarness) -> None:
        one, other = await harness.cache(), await harness.cache()
        await one.set({"a": b"1", "b": b"\x00\r\n", "": b""}, TTL)
        await one.set({"a b{c}:*\n": b"odd"}, TTL)
        assert await other.get(["b", "none", "a", "", "a b{c}:*\n"]) == [b"\x00\r\n", None, b"1", b"", b"odd"]
        await other.delete(["a", "none"])
        assert await one.get(["a"]) == [None]
        assert await one.get([]) == []
        await one.set({}, TTL)
        await one.delete([])

    async def test_values_end(self, harness: CacheHarness) -> None:
        cache = await harness.cache()
        await cache.set({"short": b"1"}, 5.0)
        await cache.set({"long": b"2"}, TTL)
        await harness.later(10.0)
        assert await cache.get(["short", "long"]) == [None, b"2"]
        found = await cache.look("long")
        assert found is not None
        assert found.value == b"2"
        assert 0 < found.left <= TTL - 10.0
        assert await cache.look("short") is None

    async def test_writing_again_begins_the_time_again(self, harness: CacheHarness) -> None:
        cache = await harness.cache()
        await cache.set({"a": b"1"}, 5.0)
        await cache.set({"a": b"2"}, TTL)
        await harness.later(10.0)
        assert await cache.get(["a"]) == [b"2"]

    async def test_reading_may_prolong(self, harness: CacheHarness) -> None:
        cache = await harness.cache()
        await cache.set({"a": b"1"}, 5.0)
        assert await cache.keep("a", TTL) == b"1"
        assert await cache.keep("none", TTL) is None
        await harness.later(10.0)
        assert await cache.get(["a", "none"]) == [b"1", None]

    async def test_services_do_not_see_each_other(self, harness: CacheHarness) -> None:
        mine, theirs = await harness.cache(MINE), await harness.cache(THEIRS)
        await mine.set({"a": b"mine"}, TTL)
        assert await theirs.get(["a"]) == [None]
        await theirs.delete(["a"])
        assert await theirs.acquire("lease", TTL) is not None
        assert await mine.acquire("lease", TTL) is not None
        assert await mine.get(["a"]) == [b"mine"]


class StepContract:
    """Steps that are one, however many do them at once."""

    async def test_a_value_is_swapped_for_the_one_expected(self, harness: CacheHarness) -> None:
        cache = await harness.cache()
        assert not await cache.swap("a", b"0", b"1", TTL)
        assert await cache.swap("a", None, b"1", TTL)
        assert not await cache.swap("a", None, b"2", TTL)
        assert await cache.swap("a", b"1", b"", TTL)
        assert not await cache.swap("a", None, b"2", TTL)
        assert await cache.swap("a", b"", None, TTL)
        assert await cache.get(["a"]) == [None]

    async def test_of_many_who_swap_each_step_counts(self, harness: CacheHarness) -> None:
        caches = [await harness.cache() for _ in range(8)]

        async def raise_by_one(cache: Cache) -> None:
            while True:
                (found,) = await cache.get(["sum"])
                if await cache.swap("sum", found, b"%d" % (int(found or 0) + 1), TTL):
                    return

        await soon(asyncio.gather(*(raise_by_one(cache) for cache in caches for _ in range(3))))
        assert await caches[0].get(["sum"]) == [b"24"]

    async def test_counters_add_up_and_end_after_their_first_addition(self, harness: CacheHarness) -> None:
        caches = [await harness.cache() for _ in range(4)]
        sums = await asyncio.gather(*(cache.add("n", 2, TTL) for cache in caches for _ in range(5)))
        assert sorted(sums) == list(range(2, 42, 2))
        await harness.later(TTL / 2)
        assert await caches[0].add("n", -1, TTL) == 39
        await harness.later(TTL / 2)
        assert await caches[0].add("n", 1, TTL) == 1

    async def test_a_counter_of_something_else_is_refused(self, harness: CacheHarness) -> None:
        if "processes" not in harness.capabilities:
            return
        cache = await harness.cache()
        await cache.set({"a": b"tea"}, TTL)
        with pytest.raises(EngineError):
            await cache.add("a", 1, TTL)


class ClaimContract:
    """The right to fill a value in."""

    async def test_one_of_many_gets_it(self, harness: CacheHarness) -> None:
        caches = [await harness.cache() for _ in range(4)]
        won = await asyncio.gather(*(cache.claim("a", b"%d" % n, TTL) for n, cache in enumerate(caches)))
        assert sum(won) == 1
        winner = won.index(True)
        loser = (winner + 1) % 4
        assert not await caches[loser].fill("a", b"%d" % loser, b"stolen", TTL)
        await caches[loser].disclaim("a", b"%d" % loser)
        assert await caches[winner].fill("a", b"%d" % winner, b"value", TTL)
        assert not await caches[winner].fill("a", b"%d" % winner, b"again", TTL)
        assert await caches[loser].get(["a"]) == [b"value"]

    async def test_removing_the_value_takes_it_away(self, harness: CacheHarness) -> None:
        cache = await harness.cache()
        assert await cache.claim("a", b"t", TTL)
        await cache.delete(["a"])
        assert not await cache.fill("a", b"t", b"old", TTL)
        assert await cache.get(["a"]) == [None]

    async def test_it_ends_and_can_be_given_up(self, harness: CacheHarness) -> None:
        cache = await harness.cache()
        assert await cache.claim("a", b"first", 5.0)
        await harness.later(10.0)
        assert await cache.claim("a", b"second", TTL)
        assert not await cache.fill("a", b"first", b"late", TTL)
        await cache.disclaim("a", b"second")
        assert await cache.claim("a", b"third", TTL)


class FencedLeaseContract:
    """Leases."""

    async def test_one_holds_it_and_tokens_grow(self, harness: CacheHarness) -> None:
        caches = [await harness.cache() for _ in range(4)]
        tokens = []
        for _ in range(3):
            asked = await asyncio.gather(*(cache.acquire("l", TTL) for cache in caches))
            (token,) = [token for token in asked if token is not None]
            tokens.append(token)
            assert await caches[0].release("l", token)
            assert not await caches[0].release("l", token)
        assert tokens == sorted(set(tokens))

    async def test_it_ends_unless_it_is_renewed(self, harness: CacheHarness) -> None:
        one, other = await harness.cache(), await harness.cache()
        token = await one.acquire("l", 5.0)
        assert token is not None
        assert await one.renew("l", token, TTL)
        await harness.later(10.0)
        assert await other.acquire("l", TTL) is None
        await harness.later(TTL)
        assert not await one.renew("l", token, TTL)
        later = await other.acquire("l", TTL)
        assert later is not None
        assert later > token
        assert not await one.renew("l", token, TTL)
        assert not await one.release("l", token)
        assert await other.release("l", later)


class AwayContract:
    """What becomes of a cache whose engine dies; only for engines that are a process."""

    async def test_it_says_so_and_comes_back(self, harness: CacheHarness) -> None:
        cache = await harness.cache()
        await cache.set({"a": b"1"}, TTL)
        before = await cache.acquire("l", TTL)
        assert before is not None
        await harness.crash()
        for step in (cache.ping(), cache.get(["a"]), cache.set({"a": b"1", "b": b"2"}, TTL), cache.acquire("l", TTL)):
            with pytest.raises(Unavailable):
                await step
        await harness.start()
        await cache.set({"a": b"2"}, TTL)
        assert await cache.get(["a"]) == [b"2"]
        after = await cache.acquire("l", TTL)
        assert after is not None
        assert after > before, "tokens grow also over a loss of everything"
