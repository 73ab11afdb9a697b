"""Events of one key are handled in their order, once, whatever happens to the replicas that handle them."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from shoal import Postgres, Service, ShoalError, System, Transaction, anyone, event, record
from shoal.drivers.base import Delivery, Query
from shoal.runtime.consuming import tenure
from shoal.runtime.consuming.attempts import ATTEMPTS
from shoal.runtime.consuming.letters import Letter
from shoal.runtime.tables import table_of
from tests.runtime.replicas import Replica, kill
from tests.runtime.world import World, running

KEYS = [f"k{number}" for number in range(12)]


@event("shop.sold", key="item")
class Sold(msgspec.Struct, frozen=True):
    item: str
    number: int


@record("ledgers", key="item")
class Ledger(msgspec.Struct, frozen=True):
    item: str
    numbers: list[int]


shop = Service("shop", store=Postgres(), publishes=[Sold])
desk = Service("desk", store=Postgres())
system = System("sys", services=[shop, desk])
fails: Callable[[Sold], bool] = bool
deadly: set[str] = set()
begun: list[Sold] = []
hanging = asyncio.Event()


@shop.post("/sold", access=anyone)
async def sell(sold: list[Sold], tx: Transaction) -> None:
    for one in sold:
        tx.publish(one)


@desk.on(Sold, attempts=4, backoff=0.002, timeout=60)
async def write(event: Sold, tx: Transaction) -> None:
    begun.append(event)
    before = await tx.get(Ledger, event.item, lock=True)
    numbers = [*(before.numbers if before else ()), event.number]
    tx.put(Ledger(event.item, numbers))
    await asyncio.sleep(0)
    if event.item in deadly:
        hanging.set()
        while event.item in deadly:  # noqa: ASYNC110 - until a test lets go of it
            await asyncio.sleep(0.001)
    if fails(event):
        raise ShoalError(f"{event.item} {event.number} fails")


@pytest.fixture(name="world")
async def _world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    begun.clear()
    deadly.clear()
    hanging.clear()
    monkeypatch.setattr("tests.runtime.test_order.fails", lambda _: False)
    async with running(system, tmp_path) as world:
        yield world


async def publish(world: World, sold: Sequence[Sold]) -> None:
    assert (await world.post("/sold", json=list(sold))).status == 204


async def numbers(world: World) -> dict[str, list[int]]:
    async with world.stores["desk"].session() as session:
        found = {key: await session.get(table_of(Ledger).table, key) for key in KEYS}
    return {key: msgspec.json.decode(str(row["numbers"])) for key, row in found.items() if row is not None}


async def attempts(world: World) -> dict[str, int]:
    """Return what is written of messages that were tried."""
    async with world.stores["desk"].session() as session:
        rows = await session.find(ATTEMPTS.table, Query())
    return {str(row["id"]): int(str(row["count"])) for row in rows if row["state"] != "held"}


async def held(world: World) -> list[object]:
    """Return what is written of holders that have not left in order."""
    async with world.stores["desk"].session() as session:
        return [row["id"] for row in await session.find(ATTEMPTS.table, Query()) if row["state"] == "held"]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.001)


async def test_a_failing_event_is_not_overtaken_by_those_of_its_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = {("k1", 0): 3, ("k2", 2): 2}

    def failing(event: Sold) -> bool:
        now = left.get((event.item, event.number), 0)
        left[event.item, event.number] = now - 1
        return now > 0

    monkeypatch.setattr("tests.runtime.test_order.fails", failing)
    await publish(world, [Sold(key, number) for number in range(4) for key in KEYS])
    await world.settle()
    assert await numbers(world) == {key: [0, 1, 2, 3] for key in KEYS}
    assert await attempts(world) == {}


async def test_the_order_of_keys_survives_replicas_that_come_go_and_die(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)  # noqa: S311 - a test
    monkeypatch.setattr("tests.runtime.test_order.fails", lambda _: chance.random() < 0.02)
    replicas = [await Replica(world, desk, number).start() for number in (1, 2)]
    for number in range(60):
        await publish(world, [Sold(key, number) for key in KEYS])
        if number % 7 == 3:
            await (replicas.pop(0).die() if number % 2 else replicas.pop(0).stop())
            replicas.append(await Replica(world, desk, number).start())
    await world.settle()
    found = await numbers(world)
    gone = {(letter.key, msgspec.json.decode(body)["data"]["number"]) for letter, body in _letters(world)}
    for key in KEYS:
        assert found[key] == [n for n in range(60) if (key, n) not in gone]
    for replica in replicas:
        await replica.stop()


def _letters(world: World) -> list[tuple[Letter, bytes]]:
    return list(zip(world.letters("desk"), [message.body for message in world.dead("desk")], strict=True))


async def test_attempts_count_over_replicas(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.runtime.test_order.fails", lambda event: event.item == "k1")
    monkeypatch.setattr("shoal.runtime.consuming.burial.delay", lambda *_: 1e6)
    await publish(world, [Sold("k1", 0), Sold("k2", 0)])
    await tried(world, 1)
    await kill(world, desk)
    for number in (1, 2):
        replica = await Replica(world, desk, number).start()
        await tried(world, number + 1)
        await (replica.stop() if number % 2 else replica.die())
    replica = await Replica(world, desk, 3).start()
    await until(lambda: bool(world.dead("desk")))
    await replica.stop()
    (letter,) = world.letters("desk")
    assert letter.attempts == 4
    assert [one.replica for one in letter.history] == ["0", "1", "2", "3"]
    assert await numbers(world) == {"k2": [0]}


async def tried(world: World, times: int) -> None:
    """Wait until the one failing message was tried so often."""
    async with asyncio.timeout(10):
        while list((await attempts(world)).values()) != [times]:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)


async def test_a_message_that_ends_its_process_becomes_a_dead_letter_and_its_neighbours_do_not(world: World) -> None:
    deadly.add("k1")
    await publish(world, [Sold(key, 0) for key in KEYS])
    await until(hanging.is_set)
    await kill(world, desk)
    lives = 0
    while not world.dead("desk"):
        lives += 1
        assert lives < 12
        hanging.clear()
        replica = await Replica(world, desk, lives).start()
        await until(lambda: hanging.is_set() or bool(world.dead("desk")))
        await replica.die()
    replica = await Replica(world, desk, 99).start()
    await world.settle()
    (letter,) = world.letters("desk")
    assert (letter.key, letter.error) == ("k1", tenure.ENDED)
    assert letter.attempts == 4
    assert await numbers(world) == {key: [0] for key in KEYS if key != "k1"}
    await replica.stop()


async def test_an_attempt_that_is_cut_off_in_order_does_not_count(world: World) -> None:
    deadly.add("k1")
    await publish(world, [Sold("k1", 0)])
    await until(hanging.is_set)
    await kill(world, desk)
    for number in range(1, tenure.SUSPICIOUS):
        hanging.clear()
        replica = await Replica(world, desk, number).start()
        await until(hanging.is_set)
        await replica.die()
    hanging.clear()
    replica = await Replica(world, desk, 99).start()
    await until(hanging.is_set)
    assert list((await attempts(world)).values()) == [1]
    events = replica.host._events
    assert events is not None
    await events.stop(0.0)
    assert list((await attempts(world)).values()) == [0]
    assert await held(world) == []
    deadly.clear()


async def test_a_delivery_that_went_astray_is_not_overtaken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch, chance = world.broker.fetch, random.Random(7)  # noqa: S311 - a test

    async def losing(*args: object) -> Sequence[Delivery]:
        found = list(await fetch(*args))  # type: ignore[arg-type]
        return [one for one in found if chance.random() > 0.1]

    monkeypatch.setattr(world.broker, "fetch", losing)
    for number in range(20):
        await publish(world, [Sold(key, number) for key in KEYS])
    monkeypatch.setattr(world.broker, "fetch", fetch)
    world.clock.advance(60)  # what was lost last is delivered again
    await world.settle()
    assert await numbers(world) == {key: list(range(20)) for key in KEYS}


async def test_one_that_is_cut_off_keeps_no_message_from_others(world: World) -> None:
    deadly.add("k1")
    await publish(world, [Sold("k1", 0)])
    await until(hanging.is_set)
    events = world.hosts["desk"]._events
    assert events is not None
    await events.stop(0.0)
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]
    assert not [name for name in names if name.startswith(("Tenure.", "Feed."))]
    deadly.clear()


async def test_messages_that_come_again_while_they_are_in_hand_are_known(world: World) -> None:
    deadly.add("k1")
    await publish(world, [Sold("k1", 0), Sold("k1", 1)])
    await until(hanging.is_set)
    for _ in range(3):
        world.broker.restart()
        world.clock.advance(60)
        await asyncio.sleep(0.01)
    assert begun == [Sold("k1", 0)]
    deadly.clear()
    await world.settle()
    assert await numbers(world) == {"k1": [0, 1]}


async def test_poison_beyond_what_may_be_in_hand_holds_up_nobody_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.runtime.test_order.fails", lambda event: event.item == "k1")
    await publish(world, [Sold("k1", number) for number in range(50)])
    await publish(world, [Sold(key, 0) for key in KEYS if key != "k1"])
    await world.settle()
    assert await numbers(world) == {key: [0] for key in KEYS if key != "k1"}
    assert len(world.dead("desk")) == 50
    assert set((await attempts(world)).values()) == {4}
