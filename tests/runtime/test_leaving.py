"""What a service that is told to stop does with its events."""

import asyncio
from pathlib import Path

import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, event
from tests.runtime.world import running


@event("shop.sold", key="id")
class Sold(msgspec.Struct, frozen=True):
    id: str


shop = Service("shop", store=Postgres(), publishes=[Sold])
notes = Service("notes", store=Postgres())
system = System("t", services=[shop, notes])
begun: list[str] = []
ended: list[str] = []
started, gate = asyncio.Event(), asyncio.Event()


@shop.post("/sales", access=anyone)
async def sell(id: str, tx: Transaction) -> None:
    tx.publish(Sold(id))


@notes.on(Sold)
async def note(event: Sold, tx: Transaction) -> None:
    begun.append(event.id)
    started.set()
    await gate.wait()
    ended.append(event.id)


async def test_who_leaves_finishes_what_is_in_hand_and_takes_nothing_more(tmp_path: Path) -> None:
    async with running(system, tmp_path) as world:
        await world.post("/sales?id=a")
        await asyncio.wait_for(started.wait(), 10)
        world.hosts["notes"].leave()
        await world.post("/sales?id=b")
        gate.set()
        await world.hosts["notes"].stop()
        assert ended == ["a"]
        assert begun == ["a"]
        assert not world.broker.idle()
