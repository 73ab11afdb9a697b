"""Events of older versions and of other content modes reach the handlers of today, once each."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from shoal import Postgres, Service, System, Transaction, anyone, event, record, upcast
from shoal.drivers.base import Message
from shoal.model.service import Mode
from shoal.runtime.envelope import pack, unpack
from shoal.service.marks import event_mark
from tests.runtime.world import World, running


@event("till.sold", version=1, key="item")
class SoldV1(msgspec.Struct, frozen=True):
    item: str
    cents: int


@event("till.sold", version=2, key="item", mode="binary")
class Sold(msgspec.Struct, frozen=True):
    item: str
    cents: int
    currency: str


@upcast
def to_v2(old: SoldV1) -> Sold:
    if old.cents < 0:
        raise ValueError("nobody pays less than nothing")
    return Sold(item=old.item, cents=old.cents, currency="EUR")


@record("counted", key="number")
class Counted(msgspec.Struct, frozen=True):
    number: str
    item: str


till = Service("till", store=Postgres(), publishes=[SoldV1, Sold])
desk = Service("desk", store=Postgres())
heard: list[Sold] = []


@till.post("/old", access=anyone)
async def sell_old(sold: SoldV1, tx: Transaction) -> None:
    tx.publish(sold)


@till.post("/new", access=anyone)
async def sell(sold: Sold, tx: Transaction) -> None:
    tx.publish(sold)


@desk.on(Sold, upcasters=[to_v2], attempts=1)
async def count(event: Sold, tx: Transaction) -> None:
    heard.append(event)
    tx.insert(Counted(number=str(len(heard)), item=event.item))


@desk.get("/counted", access=anyone)
async def counted(tx: Transaction) -> int:
    return await tx.count(Counted)


system = System("sys", services=[till, desk])


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    heard.clear()
    async with running(system, tmp_path) as world:
        yield world


def message(world: World, kind: type, data: object, *, mode: Mode | None = None) -> Message:
    return pack("sys", "till", event_mark(kind), data, now=world.clock.now(), trace=None, mode=mode)


async def test_both_versions_reach_one_handler(world: World) -> None:
    assert (await world.post("/old", json=SoldV1("a", 5))).status == 204
    assert (await world.post("/new", json=Sold("a", 6, "CHF"))).status == 204
    await world.settle()
    assert sorted(heard, key=lambda sold: sold.cents) == [Sold("a", 5, "EUR"), Sold("a", 6, "CHF")]


async def test_what_was_declared_binary_travels_so(world: World) -> None:
    await world.post("/new", json=Sold("a", 6, "CHF"))
    await world.settle()
    (sent,) = world.broker.log("SYS_TILL")
    assert msgspec.json.decode(sent.body) == {"item": "a", "cents": 6, "currency": "CHF"}
    assert sent.headers["ce-type"] == "till.sold.v2"
    assert unpack(sent).subject == "a"


@pytest.mark.parametrize("mode", ["structured", "binary"])
async def test_either_mode_of_either_version_is_handled(world: World, mode: Mode) -> None:
    await world.broker.publish(
        [message(world, SoldV1, SoldV1("a", 1), mode=mode), message(world, Sold, Sold("b", 2, "CHF"), mode=mode)]
    )
    await world.settle()
    assert {(sold.item, sold.currency) for sold in heard} == {("a", "EUR"), ("b", "CHF")}


async def test_one_event_in_two_versions_is_handled_once(world: World) -> None:
    """A producer that announces each event in both versions, under one id, while its readers move."""
    old, new = message(world, SoldV1, SoldV1("a", 1)), message(world, Sold, Sold("a", 1, "EUR"))
    same = {**new.headers, "ce-id": unpack(old).id, "ce-time": msgspec.json.decode(old.body)["time"]}
    await world.broker.publish([old, msgspec.structs.replace(new, headers=same)])
    await world.settle()
    assert (await world.get("/counted")).json() == 1


async def test_what_cannot_be_upcast_is_a_dead_letter(world: World) -> None:
    poison = message(world, SoldV1, SoldV1("a", -1))
    await world.broker.publish([poison, message(world, SoldV1, SoldV1("b", 1))])
    await world.settle()
    assert [sold.item for sold in heard] == ["b"]
    (dead,) = world.dead("desk")
    assert dead.body == poison.body


async def test_a_dead_letter_in_binary_mode_keeps_its_attributes(world: World) -> None:
    poison = msgspec.structs.replace(message(world, Sold, Sold("a", 1, "EUR")), body=b'{"item":"a"}')
    await world.broker.publish([poison])
    await world.settle()
    (dead,) = world.dead("desk")
    assert unpack(dead) is not None
    assert {k: v for k, v in dead.headers.items() if k.startswith("ce-")} == dict(poison.headers)
