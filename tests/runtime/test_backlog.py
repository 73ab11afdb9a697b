"""How much may wait for the broker, and what is said of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from shoal import Postgres, Service, System, Transaction, anyone, event, record
from shoal.drivers.base import Backlog
from shoal.errors import OutboxFull, Unavailable
from shoal.runtime import backlog, tidying
from shoal.runtime.backlog import Gauge
from tests.runtime.world import World, running


@event("shop.sold", key="id")
class Sold(msgspec.Struct, frozen=True):
    id: str


@event("till.counted", key="id")
class Counted(msgspec.Struct, frozen=True):
    id: str


@record("sales", key="id")
class Sale(msgspec.Struct, frozen=True, kw_only=True):
    id: str


shop = Service("shop", store=Postgres(), publishes=[Sold])
till = Service("till", store=Postgres(), publishes=[Counted])
quiet = Service("quiet", store=Postgres())
system = System("t", services=[shop, till])


@shop.post("/sales", access=anyone, status=201)
async def sell(id: str, tx: Transaction) -> None:
    tx.put(Sale(id=id))
    tx.publish(Sold(id))


@shop.get("/sales", access=anyone)
async def count(tx: Transaction) -> int:
    return await tx.count(Sale)


@till.on(Sold)
async def ring(event: Sold, tx: Transaction) -> None:
    tx.publish(Counted(event.id))


@quiet.on(Sold)
async def hear(event: Sold, tx: Transaction) -> None:
    pass


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(backlog, "FRESH_SECONDS", -1.0)
    async with running(system, tmp_path) as world:
        for host in world.hosts.values():
            gauge = host._announcer.gauge
            assert gauge is not None
            gauge.bound = 3
        yield world


async def sold(world: World, number: int) -> int:
    answer = await world.post(f"/sales?id={number}")
    await asyncio.sleep(0)  # the measurement that it began
    return answer.status


async def test_beyond_the_bound_a_command_that_announces_is_refused(world: World) -> None:
    world.broker.away = True
    done = [await sold(world, number) for number in range(6)]
    assert done == [201] * 3 + [503] * 3
    answer = await world.post("/sales?id=7")
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "urn:shoal:problem:outbox-full"
    assert "3 events wait for the broker, and 3 may" in answer.json()["detail"]
    assert "try again" in answer.json()["detail"]
    assert (await world.get("/sales")).json() == 3
    world.broker.away = False
    await world.settle()
    assert await sold(world, 8) == 503  # which is when it is measured again
    assert await sold(world, 8) == 201
    await world.settle()


async def test_readiness_and_metrics_say_how_it_stands(world: World) -> None:
    world.broker.away = True
    for number, (status, word) in enumerate([(200, "degraded"), (200, "degraded"), (503, "unavailable")]):
        await sold(world, number)
        ready = await world.direct("shop", "GET", "/ready")
        assert (ready.status, ready.json()["status"]) == (status, word)
        assert ready.json()["outbox"]["pending"] == number + 1
        assert ready.json()["outbox"]["bound"] == 3
    text = (await world.direct("shop", "GET", "/metrics")).body.decode()
    assert "shoal_outbox_pending 3" in text
    assert "shoal_outbox_bound 3" in text
    assert "shoal_outbox_refused 0" in text
    assert "shoal_outbox_age_seconds " in text
    world.broker.away = False
    await world.settle()
    ready = await world.direct("shop", "GET", "/ready")
    assert (ready.status, ready.json()["status"]) == (200, "ready")


async def test_refused_and_late_events_are_degradation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for found, words in (
        (Backlog(count=1, age=31.0), "events wait for long"),
        (Backlog(count=0, age=0.0, refused=2), "the broker refuses 2 events"),
    ):

        async def measured(found: Backlog = found) -> Backlog:
            return found

        monkeypatch.setattr(world.stores["shop"], "backlog", measured)
        ready = await world.direct("shop", "GET", "/ready")
        assert (ready.status, ready.json()["status"], ready.json()["checks"]["outbox"]) == (200, "degraded", words)
    monkeypatch.undo()


async def test_a_handler_that_cannot_announce_is_tried_again_for_as_long_as_it_takes(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    gauge = world.hosts["till"]._announcer.gauge
    assert gauge is not None
    gauge.bound = 0
    await gauge.measure()
    for number in range(3):
        assert await sold(world, number) == 201
    async with asyncio.timeout(10):
        while caplog.text.count("met an outage, which is no attempt") < 12:  # noqa: ASYNC110 - a log
            await asyncio.sleep(0.001)
    gauge.bound = 3
    async with asyncio.timeout(10):
        while len(world.broker.log("T_TILL")) < 3:  # noqa: ASYNC110 - the broker says nothing
            await asyncio.sleep(0.001)
    assert world.dead("till") == []


class Slow:
    """A store whose outbox is measured when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: asyncio.Future[Backlog] = asyncio.get_running_loop().create_future()

    async def backlog(self) -> Backlog:
        self.asked += 1
        return await self.answer


async def test_many_ask_and_one_measures() -> None:
    store = Slow()
    gauge = Gauge(store, 5)  # type: ignore[arg-type]
    for _ in range(100):
        gauge.admit()
        await asyncio.sleep(0)
    assert store.asked == 1
    store.answer.set_result(Backlog(count=5, age=1.0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for _ in range(100):
        with pytest.raises(OutboxFull):
            gauge.admit()
    assert store.asked == 1


async def test_a_store_that_is_away_lets_everything_in() -> None:
    store = Slow()
    gauge = Gauge(store, 5)  # type: ignore[arg-type]
    gauge.admit()
    await asyncio.sleep(0)
    store.answer.set_exception(Unavailable("away"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gauge.admit()
    assert store.asked == 1


async def test_a_service_without_a_relay_is_tidied_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "WINDOW", timedelta(0))
    async with running(System("t", services=[shop, till, quiet]), tmp_path) as world:
        assert await sold(world, 1) == 201
        await world.settle()
        assert world.stores["quiet"]._state.inbox
        await world.hosts["quiet"].stop()
        await world.hosts["quiet"].start()
        async with asyncio.timeout(10):
            while world.stores["quiet"]._state.inbox:  # noqa: ASYNC110 - a store says nothing
                await asyncio.sleep(0.001)
