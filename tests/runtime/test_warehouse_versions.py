"""Facts of another version wait for it: while it takes over, and after it was rolled back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from shoal import fact_table
from shoal.drivers.base import FactTable
from shoal.runtime.transaction import UnitOfWork
from shoal.runtime.warehouse import side, staging
from shoal.runtime.warehouse.shapes import table_of
from shoal.runtime.warehouse.staging import Stager, decide, waiting
from tests.runtime.test_warehouse import Stray, sell_some, system
from tests.runtime.world import World, running

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@fact_table("sales")
class WiderSale(msgspec.Struct, frozen=True, kw_only=True):
    """What the next version appends."""

    item: str
    amount: int
    channel: str
    at: datetime


NEXT: tuple[FactTable, ...] = (table_of(WiderSale), table_of(Stray))
WIDER = WiderSale(item="mug", amount=100, channel="web", at=NOW)


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(side, "GATHER", 0.001)
    monkeypatch.setattr(side, "LOOK", 0.01)
    for module in (side, staging):
        monkeypatch.setattr(module, "LARGEST", 3)
    async with running(system, tmp_path) as world:
        yield world


async def stage_as_next(world: World, *facts: object) -> None:
    async with world.stores["books"].session() as session:
        sink = Stager("books", (WiderSale, Stray), lambda: None).within(
            UnitOfWork(session, world.hosts["books"].announcer)
        )
        for fact in facts:
            sink.append(fact)


async def left(world: World, count: int) -> None:
    async with asyncio.timeout(10):
        while await waiting(world.stores["books"]) != count:  # noqa: ASYNC110 - the loader tells nobody
            await asyncio.sleep(0.001)


async def sold(world: World) -> object:
    return (await world.get("/totals")).json()


async def test_what_only_another_version_knows_waits_for_it_and_nothing_waits_behind_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await stage_as_next(world, *[WIDER] * 4, *[Stray(at=NOW)] * 4)
    await sell_some(world, 1, 2, 4, 8, 16)
    await left(world, 8)
    assert await sold(world) == [{"item": "mug", "sales": 5, "amount": 31}]
    for what in ("column channel of sales", "table strays"):
        assert caplog.text.count(f"declares {what}") == 1
    load = await decide(world.stores["books"], NEXT, lambda _: None)
    assert load is not None
    assert len(load.ids) == 3


@pytest.mark.parametrize("appended", [False, True])
async def test_a_batch_that_another_version_decided_on_is_neither_lost_nor_doubled(
    world: World, monkeypatch: pytest.MonkeyPatch, *, appended: bool
) -> None:
    store, warehouse = world.stores["books"], world.warehouses["books"]
    await sell_some(world, 1)
    await left(world, 0)
    decided, plain = asyncio.Event(), warehouse.latest

    async def latest(source: str) -> str:
        await decided.wait()
        if appended and load is not None:
            await warehouse.append(load.batch)
        return await plain(source)

    await warehouse.prepare([table_of(Stray)])
    monkeypatch.setattr(warehouse, "latest", latest)
    await stage_as_next(world, Stray(at=NOW), Stray(at=NOW))
    load = await decide(store, NEXT, lambda _: None)
    decided.set()
    await sell_some(world, 2)
    await left(world, 0 if appended else 2)
    assert await sold(world) == [{"item": "mug", "sales": 2, "amount": 3}]
    assert len(warehouse._facts["strays"]) == (2 if appended else 0)
