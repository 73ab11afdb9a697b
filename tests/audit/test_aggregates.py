"""The promise about aggregates, broken by hand."""

from datetime import UTC, datetime

import pytest

from shoal import Postgres, Service, System
from shoal.audit import Subject
from shoal.audit.aggregates import as_folded
from shoal.audit.survey import Survey
from shoal.drivers.base import Query
from shoal.drivers.memory import MemoryStore
from shoal.model import plan
from shoal.model.target import MEMORY
from shoal.runtime.aggregates import AGGREGATES, FACTS, Aggregates
from shoal.runtime.clock import SystemClock
from shoal.service.audit import Verdict
from shoal.service.describe import describe
from shop.inventory.ledger import Received, Reserved, Shelf

depot = Service("depot", store=Postgres(migrations=""))
system = System("town", services=[depot])


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    async with store.session() as session:
        aggregates = Aggregates(session, SystemClock())
        for sku in ("CAP", "MUG"):
            shelf = aggregates.append(Shelf(sku=sku), Received(quantity=5))
            aggregates.append(shelf, Reserved(order_id="1", quantity=2))
    return store


async def verdict(store: MemoryStore) -> Verdict:
    subject = Subject(
        declared=system,
        plan=plan(describe(system), MEMORY).require(),
        now=lambda: datetime.now(UTC),
        stores={"depot": store},
    )
    return await as_folded(subject, Survey())


async def spoil(store: MemoryStore, id: str, **fields: object) -> None:
    table = AGGREGATES.table if id.count("/") == 1 else FACTS.table
    async with store.session() as session:
        (row,) = await session.find(table, Query(where={"id": id}))
        session.put(table, {**row, **fields})


async def test_what_its_facts_make_is_in_order(store: MemoryStore) -> None:
    found = await verdict(store)
    assert (found.violations, found.counts) == ((), {"aggregates": 2, "snapshots": 2})


async def test_a_state_that_its_facts_do_not_make_is_found(store: MemoryStore) -> None:
    await spoil(store, "shelf/MUG", state='{"sku": "MUG", "received": 5, "available": 5}')
    (violation,) = (await verdict(store)).violations
    assert "'MUG'" in violation
    assert "reserved=2" in violation


async def test_a_fact_that_was_changed_is_found(store: MemoryStore) -> None:
    await spoil(store, "shelf/CAP/0000000001", body='{"quantity": 6}')
    (violation,) = (await verdict(store)).violations
    assert "'CAP'" in violation


async def test_a_fact_that_was_lost_is_found(store: MemoryStore) -> None:
    async with store.session() as session:
        session.delete(FACTS.table, "shelf/MUG/0000000001")
    (violation,) = (await verdict(store)).violations
    assert "shelf/MUG has a fact 2 after 0" in violation
