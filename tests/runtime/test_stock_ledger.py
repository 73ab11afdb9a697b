"""The shop's shelves on PostgreSQL: kept from an earlier version, audited, and fought over."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from shoal.drivers.base import Receipt, Store
from shoal.runtime import migrations
from shoal.runtime.aggregates import AGGREGATES, Aggregates
from shoal.runtime.clock import SystemClock
from shoal.runtime.sides import OWN_TABLES
from shoal.runtime.transaction import Announcer, UnitOfWork
from shop.inventory import service as module
from shop.inventory.ledger import Received, Shelf
from shop.inventory.records import Reservation, Wanted
from shop.inventory.service import _hear, inventory
from tests.runtime.database import Database, database
from tests.runtime.fleet import replicas

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

FILES = migrations.read(Path(module.__file__).parent / "migrations")


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="server")
async def _server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


async def shelves(store: Store) -> dict[str, tuple[Shelf, Shelf | None]]:
    async with store.session() as session:
        return {s.sku: (s, kept) async for s, kept in Aggregates(session, SystemClock()).fold(Shelf)}


async def test_balances_from_before_the_ledger_are_brought_forward_once(server: Database) -> None:
    url = await server.empty()
    old = server.store(url)
    await old.open()
    await old.migrate(FILES[:1], OWN_TABLES)
    async with old.session() as session:
        await session.execute("insert into shelves values ('MUG', 10, 5, 2, 3), ('CAP', 1, 1, 0, 0)")
        session.answer(
            Receipt(key="seed\nfirst-delivery", fingerprint="", status=200, headers=(), body=b"", lasting=True)
        )
    for _ in range(2):
        async with replicas(inventory, [server.store(url)]):
            found = await shelves(old)
        assert found["MUG"][0] == found["MUG"][1] == Shelf(sku="MUG", received=10, available=5, reserved=2, sold=3)
        assert set(found) == {"MUG", "CAP"}


async def test_a_new_shop_begins_with_its_delivery(server: Database) -> None:
    url = await server.empty()
    store = server.store(url)
    async with replicas(inventory, [store]):
        found = await shelves(store)
    assert len(found) > 20
    assert all(state == snapshot and state.reserved == state.sold == 0 for state, snapshot in found.values())


async def prepared(server: Database, stock: int, orders: int) -> Store:
    store = server.store(await server.empty(), pool=16)
    await store.open()
    await store.migrate(FILES, OWN_TABLES)
    async with store.session() as session:
        unit = UnitOfWork(session, Announcer("t", inventory, SystemClock()))
        for sku in ("MUG", "CAP", "PEN"):
            unit.append(Shelf(sku=sku), Received(quantity=stock))
        for number in range(orders):
            pair = ("MUG", "CAP", "PEN")[number % 3], ("CAP", "PEN", "MUG")[number % 3]
            wanted = tuple(Wanted(sku=sku, quantity=1) for sku in pair)
            unit.insert(Reservation(order_id=str(number), wanted=wanted))
    return store


async def reserve(store: Store, order_id: str) -> None:
    async with store.session() as session:
        unit = UnitOfWork(session, Announcer("t", inventory, SystemClock()))
        await _hear(order_id, unit, lambda known: msgspec.structs.replace(known, paid=True))


async def test_everybody_wants_the_same_and_nobody_fails(server: Database) -> None:
    """Sixteen at a time over three shelves, in every order: no conflict, no deadlock, nothing sold twice."""
    orders, stock = 300, 150
    store = await prepared(server, stock, orders)
    gate = asyncio.Semaphore(16)

    async def one(number: int) -> None:
        async with gate:
            await reserve(store, str(number))

    await asyncio.gather(*(one(number) for number in range(orders)))
    found = await shelves(store)
    async with store.session() as session:
        kept = [await session.get(AGGREGATES.table, f"shelf/{sku}") for sku in found]
        reserved = await UnitOfWork(session, Announcer("t", inventory, SystemClock())).count(
            Reservation, {"stage": "RESERVED"}
        )
    assert all(state == snapshot for state, snapshot in found.values())
    assert sum(state.reserved for state, _ in found.values()) == 2 * reserved
    assert all(state.available >= 0 and state.received == stock for state, _ in found.values())
    assert sum(int(str(row["version"])) for row in kept if row) == 3 + 2 * reserved
    assert sum(state.available == 0 for state, _ in found.values()) >= 2, "what could be reserved, was"
