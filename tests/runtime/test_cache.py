"""Values, sessions and leases of handlers: what they find, what they do without while the cache is away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal import CacheStore, Contended, Locks, Service, Sessions, ShortLived, System, Valkey, anyone
from shoal.drivers.memory import MemoryCache
from shoal.errors import DeclarationError, Unavailable
from shoal.runtime.cache import guard
from shoal.runtime.cache.fittings import Keeping
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.metrics.text import render
from shoal.service.describe import describe_service
from shoal.testing import MemorySystem, MovableClock


class Note(msgspec.Struct, frozen=True):
    text: str


class Numbered(msgspec.Struct, frozen=True):
    number: int


class Flighty(MemoryCache):
    """A cache that can be away."""

    def __init__(self, clock: MovableClock) -> None:
        super().__init__(clock.monotonic)
        self.away = False
        self.asked = 0

    def __getattribute__(self, name: str) -> Any:
        if name in ("get", "set", "delete", "swap", "keep", "add", "look", "claim", "fill", "acquire", "renew", "ping"):
            self.asked += 1
            if self.away:
                raise Unavailable("the cache is away")
        return super().__getattribute__(name)


class World:
    """One service's cache, as several replicas have it."""

    def __init__(self) -> None:
        self.clock = MovableClock()
        self.cache = Flighty(self.clock)
        self.metrics = Metrics()

    def replica(self) -> Keeping:
        return Keeping(self.cache, self.metrics)

    def ask(self, kind: type) -> Any:
        return self.replica().injected[kind]

    def counted(self, text: str) -> bool:
        return text in render(self.metrics.snapshot()).decode()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(guard, "PAUSE", 0.0)
    return World()


async def test_values_are_told_apart_by_class_and_key(world: World) -> None:
    cache: CacheStore = world.ask(CacheStore)
    await cache.put("a", Note("tea"), ttl=10)
    await cache.put_many({"a": Numbered(1), "b": Numbered(2)}, ttl=10)
    assert await cache.get(Note, "a") == Note("tea")
    assert await cache.get(Note, "b") is None
    assert await cache.get_many(Numbered, ["b", "none", "a"]) == {"b": Numbered(2), "a": Numbered(1)}
    await cache.put("list", [1, 2], ttl=10)
    assert await cache.get(list[int], "list") == [1, 2]
    await cache.delete(Numbered, "a", "b")
    assert await cache.get_many(Numbered, ["a", "b"]) == {}
    world.clock.advance(11)
    assert await cache.get(Note, "a") is None
    for ttl in (0.0, -1.0, float("nan")):
        with pytest.raises(DeclarationError, match="ttl="):
            await cache.put("a", Note("tea"), ttl=ttl)


async def test_two_classes_of_one_name_share_no_value(world: World) -> None:
    other = msgspec.defstruct("Note", [("text", str)], module="elsewhere")
    cache: CacheStore = world.ask(CacheStore)
    await cache.put("a", Note("tea"), ttl=10)
    await cache.put("a", other("milk"), ttl=10)
    assert await cache.get(Note, "a") == Note("tea")
    assert await cache.get(other, "a") == other("milk")


async def test_a_value_of_another_shape_is_not_there(world: World) -> None:
    class Note(msgspec.Struct, frozen=True):  # as the next version has it
        text: int

    cache: CacheStore = world.ask(CacheStore)
    name = f"{Note.__module__}.{Note.__qualname__}/a"
    await world.cache.set({name: b'{"text":"tea"}'}, 10)
    assert await cache.get(Note, "a") is None


async def test_a_cache_that_is_away_costs_values_and_nothing_else(world: World) -> None:
    cache: CacheStore = world.ask(CacheStore)
    await cache.put("a", Note("tea"), ttl=10)
    world.cache.away = True
    await cache.put("b", Note("milk"), ttl=10)
    await cache.delete(Note, "a")
    assert await cache.get(Note, "a") is None
    world.cache.away = False
    assert await cache.get_many(Note, ["a", "b"]) == {"a": Note("tea")}
    assert world.counted('shoal_cache_duration_seconds_count{shoal_cache_operation="put",shoal_outcome="away"} 1')
    assert world.counted('shoal_cache_duration_seconds_count{shoal_cache_operation="put",shoal_outcome="ok"} 1')


async def test_it_is_left_alone_for_a_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "PAUSE", 1000.0)
    cache: CacheStore = world.ask(CacheStore)
    world.cache.away = True
    world.cache.asked = 0
    for _ in range(5):
        assert await cache.get(Note, "a") is None
    assert world.cache.asked == 1


async def test_one_at_a_time_tries_whether_it_is_back(world: World) -> None:
    tried, held = asyncio.Event(), asyncio.Event()

    async def hanging(keys: Sequence[str]) -> list[bytes | None]:
        tried.set()
        await held.wait()
        return [None for _ in keys]

    kept: ShortLived = world.ask(ShortLived)
    world.cache.away = True
    with pytest.raises(Unavailable):
        await kept.get(Note, "a")
    world.cache.away = False
    world.cache.get = hanging  # type: ignore[method-assign]
    trial = asyncio.ensure_future(kept.get(Note, "a"))
    await tried.wait()
    with pytest.raises(Unavailable, match="a moment ago"):
        await kept.get(Note, "a")
    held.set()
    assert await trial is None
    assert await kept.get(Note, "a") is None, "and then everybody may"


async def test_what_lives_nowhere_else_is_refused_while_it_is_away(world: World) -> None:
    kept: ShortLived = world.ask(ShortLived)
    await kept.put("a", Note("tea"), ttl=10)
    world.cache.away = True
    for step in (kept.get(Note, "a"), kept.put("a", Note("x"), ttl=10), kept.count("n", ttl=10)):
        with pytest.raises(Unavailable):
            await step
    world.cache.away = False
    assert await kept.get(Note, "a") == Note("tea")
    await kept.delete(Note, "a")
    assert await kept.get(Note, "a") is None


async def test_of_many_updates_each_counts(world: World) -> None:
    replicas: list[ShortLived] = [world.ask(ShortLived) for _ in range(3)]

    def raised(before: Numbered | None) -> Numbered:
        return Numbered(before.number + 1 if before else 1)

    made = await asyncio.gather(*(kept.update(Numbered, "n", raised, ttl=10) for kept in replicas for _ in range(5)))
    assert sorted(found.number for found in made if found) == list(range(1, 16))
    assert await replicas[0].update(Numbered, "n", lambda _before: None, ttl=10) is None
    assert await replicas[0].get(Numbered, "n") is None
    assert [await kept.count("n", 2, ttl=10) for kept in replicas] == [2, 4, 6]


async def test_a_session_slides_is_rotated_and_ends(world: World) -> None:
    sessions: Sessions = world.ask(Sessions)
    id_ = await sessions.begin(Note("guest"), ttl=10)
    for _ in range(3):
        world.clock.advance(8)
        assert await sessions.find(Note, id_, ttl=10) == Note("guest")
    assert await sessions.save(id_, Note("guest with tea"), ttl=10)
    fresh = await sessions.rotate(id_, Note("ann"), ttl=10)
    assert fresh != id_
    assert await sessions.find(Note, id_) is None, "the id that a stranger may know is void"
    assert not await sessions.save(id_, Note("thief")), "and is not begun again"
    assert await sessions.find(Note, fresh, ttl=10) == Note("ann")
    world.clock.advance(11)
    assert await sessions.find(Note, fresh) is None
    last = await sessions.begin(Note("x"))
    await sessions.end(last)
    assert await sessions.find(Note, last) is None


async def test_the_engine_never_sees_the_id_of_a_session(world: World) -> None:
    sessions: Sessions = world.ask(Sessions)
    ids = {await sessions.begin(Note("x")) for _ in range(8)}
    assert len(ids) == 8
    assert all(len(id_) >= 43 for id_ in ids), "256 bits"
    held = " ".join(world.cache._kept)  # what a dump of the engine would show
    assert not any(id_ in held for id_ in ids)


async def test_one_holds_a_lease_and_the_next_has_a_larger_token(world: World) -> None:
    one: Locks = world.ask(Locks)
    other: Locks = world.ask(Locks)
    async with one.hold("stock", ttl=10) as held:
        assert not held.lost
        with pytest.raises(Contended, match="somebody else holds 'stock'"):
            async with other.hold("stock", ttl=10):
                raise AssertionError
        waiting = asyncio.ensure_future(_token(other))
        await asyncio.sleep(0)
    assert await waiting > held.token


async def _token(locks: Locks) -> int:
    async with locks.hold("stock", ttl=10, wait=20) as held:
        return held.token


async def test_a_holder_learns_that_he_has_lost_it(world: World) -> None:
    locks: Locks = world.ask(Locks)
    async with locks.hold("stock", ttl=0.03) as held:
        world.clock.advance(1)  # the holder was frozen: the lease is over, and somebody else has it
        assert await world.cache.acquire("stock", 1000.0) is not None
        async with asyncio.timeout(20):
            while not held.lost:  # noqa: ASYNC110 - there is no event of it
                await asyncio.sleep(0)
    assert await world.cache.acquire("stock", 10) is None, "and does not take it from who has it now"


shelf = Service("shelf", cache=Valkey())
bare = Service("bare")


@shelf.put("/notes/{name}", access=anyone)
async def write(name: str, note: Note, cache: CacheStore) -> None:
    await cache.put(name, note, ttl=60)


@shelf.get("/notes/{name}", access=anyone)
async def read(name: str, cache: CacheStore) -> Note | None:
    return await cache.get(Note, name)


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[MemorySystem]:
    system = MemorySystem(System("shelves", services=[shelf, bare]), tmp_path)
    await system.start()
    yield system
    await system.stop()


async def test_handlers_ask_for_it_by_type_and_tests_move_its_time(system: MemorySystem) -> None:
    assert (await system.put("/notes/a", json={"text": "tea"})).status == 204
    assert (await system.get("/notes/a")).json() == {"text": "tea"}
    system.clock.advance(61)
    assert (await system.get("/notes/a")).json() is None


def test_a_service_without_a_cache_cannot_ask_for_one() -> None:
    lone = Service("lone")

    @lone.get("/x", access=anyone)
    async def x(locks: Locks) -> None: ...

    with pytest.raises(DeclarationError, match=r"Locks needs a cache.*lone has none\s.*cache=Valkey\(\)"):
        describe_service(lone)


async def test_a_trial_that_is_cancelled_keeps_nobody_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "TRIAL", 1000.0)
    tried = asyncio.Event()

    async def hanging(keys: Sequence[str]) -> list[bytes | None]:
        tried.set()
        await asyncio.Event().wait()
        raise AssertionError(keys)

    kept: ShortLived = world.ask(ShortLived)
    world.cache.away = True
    with pytest.raises(Unavailable):
        await kept.get(Note, "a")
    world.cache.away = False
    get = world.cache.get
    world.cache.get = hanging  # type: ignore[method-assign]
    trial = asyncio.ensure_future(kept.get(Note, "a"))
    await tried.wait()
    trial.cancel()
    await asyncio.gather(trial, return_exceptions=True)
    world.cache.get = get  # type: ignore[method-assign]
    assert await kept.get(Note, "a") is None
