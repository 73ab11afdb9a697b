"""Handlers that take their time: the broker hears that they work, others go on, what is outside comes in parallel."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal import Postgres, Service, System, Transaction, anyone, event
from shoal.model.names import part_of
from shoal.runtime.consuming.desk import PARALLEL
from tests.runtime.replicas import Replica
from tests.runtime.world import World, running

ACK_WAIT = 0.3
"""Seconds after which the broker would deliver a message again."""


@event("shop.sold", key="item")
class Sold(msgspec.Struct, frozen=True):
    item: str


@dataclass
class Outside:
    """Something that takes a while."""

    now: int = 0
    most: int = 0
    calls: int = 0

    async def call(self) -> None:
        self.calls += 1
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.02)
        self.now -= 1


shop = Service("shop", store=Postgres(), publishes=[Sold])
slow = Service("slow", store=Postgres())
calling = Service("calling", store=Postgres())
system = System("sys", services=[shop, slow, calling])
begun: list[str] = []
ended: list[str] = []


@shop.post("/sold", access=anyone)
async def sell(sold: list[Sold], tx: Transaction) -> None:
    for one in sold:
        tx.publish(one)


@slow.on(Sold)
async def take_time(event: Sold, tx: Transaction) -> None:
    begun.append(event.item)
    if event.item.startswith("slow"):
        await asyncio.sleep(ACK_WAIT * 4)
    ended.append(event.item)


@calling.provide
def outside() -> Outside:
    return Outside()


@calling.on(Sold)
async def call(event: Sold, outside: Outside) -> None:
    if not event.item.startswith("slow"):
        await outside.call()


@pytest.fixture(name="world")
async def _world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    begun.clear()
    ended.clear()
    monkeypatch.setattr(sys.modules["shoal.model.plan"], "ACK_WAIT", ACK_WAIT)
    async with running(system, tmp_path) as world:
        yield world


async def publish(world: World, *items: str) -> None:
    assert (await world.post("/sold", json=[Sold(item) for item in items])).status == 204


async def test_a_message_that_takes_longer_than_the_broker_waits_is_not_delivered_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[int] = []
    fetch = world.broker.fetch

    async def counted(*args: Any) -> Any:
        found = await fetch(*args)
        fetched.extend(delivery.number for delivery in found)
        return found

    monkeypatch.setattr(world.broker, "fetch", counted)
    await publish(world, "slow")
    await world.settle()
    assert begun == ["slow"]
    assert fetched == [1, 1]  # once for each service


async def test_handlers_that_reach_outside_run_side_by_side_but_not_all_at_once(world: World) -> None:
    outside: Outside = world.hosts["calling"]._values[Outside]
    await publish(world, *(f"item {number}" for number in range(60)))
    await world.settle()
    assert outside.calls == 60
    assert outside.most == PARALLEL


async def test_a_slow_message_does_not_keep_other_parts_from_going_on(world: World) -> None:
    await publish(world, "slow", *(f"item {number}" for number in range(40)))
    await world.settle()
    elsewhere = [item for item in ended if part_of(item) != part_of("slow")]
    assert len(elsewhere) > 10
    assert ended[: len(elsewhere)] == elsewhere


async def test_a_replica_that_comes_later_takes_its_share_and_nothing_is_begun_twice(world: World) -> None:
    second = await Replica(world, slow, 1).start()
    await publish(world, *(f"item {number}" for number in range(200)))
    await world.settle()
    lines = [line for line in world.journals["slow"].read() if line.get("outcome") == "ok"]
    assert len(lines) == 200
    assert sorted(begun) == sorted({f"item {number}" for number in range(200)})
    await second.stop()
