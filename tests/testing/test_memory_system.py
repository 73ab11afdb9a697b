"""A whole system in memory: overrides everywhere, settling, expectations, a movable clock."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from shoal import Clock, Postgres, Service, Settings, ShoalError, System, Transaction, anyone, event, record
from shoal.errors import DeclarationError
from shoal.testing import MemorySystem, MovableClock


@dataclass(frozen=True)
class Stamp:
    text: str


class DeskSettings(Settings, frozen=True, kw_only=True):
    mode: str = "plain"


@event("desk.stamped", key="name")
class Stamped(msgspec.Struct, frozen=True):
    name: str
    stamp: str


@record("seen", key="name")
class Seen(msgspec.Struct, frozen=True):
    name: str
    stamp: str


desk = Service("desk", store=Postgres(), publishes=[Stamped], settings=DeskSettings)
sink = Service("sink", store=Postgres())
bare = Service("bare")
made: list[str] = []
broken: list[str] = []


@desk.provide
def desk_stamp() -> Stamp:
    made.append("desk")
    return Stamp("real")


@sink.provide
def sink_stamp() -> Stamp:
    made.append("sink")
    return Stamp("real")


@desk.seed("first")
async def first(tx: Transaction, stamp: Stamp) -> None:
    tx.publish(Stamped("seed", stamp.text))


@desk.post("/stamps/{name}", access=anyone)
async def put_stamp(name: str, tx: Transaction, stamp: Stamp, settings: DeskSettings, clock: Clock) -> list[str]:
    tx.publish(Stamped(name, stamp.text))
    return [stamp.text, settings.mode, f"{clock.now():%Y}"]


@sink.on(Stamped, attempts=2, backoff=3600)
async def stamped(event: Stamped, tx: Transaction, stamp: Stamp) -> None:
    if event.name in broken:
        raise ValueError(event.name)
    tx.put(Seen(event.name, stamp.text))


@sink.get("/seen/{name}", access=anyone)
async def seen(name: str, tx: Transaction) -> Seen:
    return await tx.require(Seen, name)


@bare.get("/bare", access=anyone)
async def show() -> str:
    return "bare"


declared = System("sys", services=[desk, sink, bare])


@pytest.fixture(autouse=True)
def _fresh() -> None:
    made.clear()
    broken.clear()


@pytest.fixture(name="system")
async def _system(tmp_path: Path) -> AsyncIterator[MemorySystem]:
    running = MemorySystem(declared, tmp_path, overrides={Stamp: Stamp("fake")}, environ={"DESK__MODE": "odd"})
    await running.start()
    yield running
    await running.stop()


async def test_overrides_from_the_start_reach_requests_events_and_seeds(system: MemorySystem) -> None:
    assert (await system.post("/stamps/a")).json()[:2] == ["fake", "odd"]
    await system.settle()
    assert [e.stamp for e in system.events.all(Stamped)] == ["fake", "fake"]
    assert (await system.get("/seen/a")).json() == {"name": "a", "stamp": "fake"}
    assert (await system.get("/seen/seed")).json()["stamp"] == "fake"
    assert made == []


async def test_overrides_for_a_while_nest_and_end(system: MemorySystem) -> None:
    with system.override(Stamp, Stamp("outer")), system.override(DeskSettings, DeskSettings(mode="new")):
        assert (await system.post("/stamps/a")).json()[:2] == ["outer", "new"]
        await system.settle()
        with system.override(Stamp, Stamp("inner")):
            assert (await system.post("/stamps/b")).json()[:2] == ["inner", "new"]
            await system.settle()
        assert (await system.post("/stamps/c")).json()[:2] == ["outer", "new"]
        await system.settle()
    assert (await system.post("/stamps/d")).json()[:2] == ["fake", "odd"]
    await system.settle()
    stamps = [(await system.get(f"/seen/{name}")).json()["stamp"] for name in "abcd"]
    assert stamps == ["outer", "inner", "outer", "fake"]


async def test_what_nobody_asks_for_cannot_be_overridden(system: MemorySystem) -> None:
    with pytest.raises(DeclarationError, match="no service injects Path"), system.override(Path, Path()):
        pass


async def test_an_override_ends_also_when_the_test_fails(system: MemorySystem) -> None:
    with pytest.raises(KeyError), system.override(Stamp, Stamp("gone")):
        raise KeyError
    assert (await system.post("/stamps/a")).json()[0] == "fake"


async def test_expected_events_may_lie_in_the_past_or_in_the_future(system: MemorySystem) -> None:
    assert (await system.events.expect(Stamped)).name == "seed"
    waiting = asyncio.create_task(system.events.expect(Stamped, lambda e: e.name == "b"))
    await system.post("/stamps/a")
    await system.post("/stamps/b")
    assert await waiting == Stamped("b", "fake")
    assert system.events.types() == ["desk.stamped.v1"] * 3


async def test_an_event_that_does_not_come_is_told_with_those_that_came(system: MemorySystem) -> None:
    await system.settle()
    with pytest.raises(ShoalError, match=r"no Stamped was announced within 0.01 s") as caught:
        await system.events.expect(Stamped, lambda e: e.name == "never", within=0.01)
    assert caught.value.hint == "announced were: desk.stamped.v1"


async def test_a_system_that_does_not_settle_says_why_it_may_not(system: MemorySystem) -> None:
    broken.append("a")
    await system.post("/stamps/a")
    with pytest.raises(ShoalError, match=r"did not come to rest within 0.05 s") as caught:
        await system.settle(within=0.05)
    assert "is a handler failing?" in caught.value.hint
    broken.clear()
    system.clock.advance(3600)
    await system.settle()
    assert (await system.get("/seen/a")).status == 200


async def test_time_moves_for_handlers_and_tokens(system: MemorySystem) -> None:
    year = int((await system.post("/stamps/a")).json()[2])
    system.clock.advance(366 * 24 * 3600)
    assert int((await system.post("/stamps/b")).json()[2]) == year + 1
    with pytest.raises(DeclarationError, match="no issuer of tokens"):
        system.token("ann")


def test_time_only_moves_forward() -> None:
    clock = MovableClock()
    before, moved = clock.monotonic(), []
    clock.watch(lambda: moved.append(1))
    clock.advance(10)
    assert clock.monotonic() >= before + 10
    assert moved == [1]
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


async def test_a_service_without_a_store_has_none_here_either(system: MemorySystem) -> None:
    assert (await system.get("/bare")).json() == "bare"
    shadow = Service("shadow")
    globals()["shadow_service"] = shadow

    @shadow.post("/a", access=anyone)
    async def write(tx: Transaction) -> None: ...

    with pytest.raises(DeclarationError, match="service shadow has none"):
        MemorySystem(System("sys", services=[shadow]), Path())
