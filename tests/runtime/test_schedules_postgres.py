"""Schedules on PostgreSQL: several replicas, one database."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec
import pytest
import pytest_asyncio

from shoal import Postgres, Service, Tick, Transaction
from shoal.drivers.base import Query, Store, Table
from shoal.runtime.schedules.rows import SCHEDULES, from_row
from tests.runtime.database import Database, database
from tests.runtime.fleet import replicas, until

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

MINUTE = timedelta(minutes=1)
RUNS = Table(name="runs", key="due", columns=("due", "replica"))

clocks = Service("clocks", store=Postgres(migrations="clocks_tables", sql=True))
held = asyncio.Event()
holding = asyncio.Event()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    due: datetime
    times: int


@clocks.every(MINUTE, missed="all", attempts=50)
async def strike(tick: Tick, tx: Transaction) -> None:
    """Note the time; nothing but the schedule keeps it from being noted twice."""
    await tx.execute("insert into runs (due) values ($1)", tick.due)
    if not held.is_set():
        holding.set()
        await held.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="server")
async def _server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", name="url")
async def _url(server: Database) -> str:
    held.set()
    holding.clear()
    return await server.empty()


async def settled(store: Store) -> datetime | None:
    async with store.session() as session:
        rows = await session.find(SCHEDULES.table, Query())
    return from_row(rows[0]).settled if rows else None


async def runs(store: Store) -> list[Run]:
    async with store.session() as session:
        rows = await session.fetch("select due, count(*)::integer as times from runs group by due order by due")
    return [msgspec.convert(row, Run) for row in rows]


async def reaches(store: Store, moment: datetime) -> bool:
    found = await settled(store)
    return found is not None and found >= moment


async def test_four_replicas_run_each_due_time_once(server: Database, url: str) -> None:
    watching = server.store(url)
    await watching.open()
    async with replicas(clocks, [server.store(url) for _ in range(4)]) as running:
        await until(lambda: settled(watching))
        start = await settled(watching)
        assert start is not None
        for number in range(1, 13):
            running.clock.advance(MINUTE)
            await until(lambda number=number: reaches(watching, start + (number - 1) * MINUTE))
            if number % 4 == 0:  # who has the right leaves; another one takes it
                await running.end(running.hosts[0])
                await running.join(server.store(url))
        found = await runs(watching)
    assert {run.times for run in found} == {1}
    assert len(found) >= 12
    assert [b.due - a.due for a, b in itertools.pairwise(found)] == [MINUTE] * (len(found) - 1)


async def test_the_database_dies_within_a_run(server: Database, url: str) -> None:
    stores = [server.store(url) for _ in range(2)]
    async with replicas(clocks, stores) as running:
        await until(lambda: settled(stores[0]))
        start = await settled(stores[0])
        assert start is not None
        held.clear()
        running.clock.advance(MINUTE)
        await asyncio.wait_for(holding.wait(), 20)
        await server.crash()
        held.set()
        await server.start()
        await until(lambda: _back(running.hosts[0].store, start))
        found = await runs(stores[0])
    assert {run.times for run in found} == {1}


async def _back(store: Store | None, start: datetime) -> bool:
    assert store is not None
    try:
        return await reaches(store, start + timedelta(seconds=1))
    except Exception:  # noqa: BLE001 - it is still starting
        return False
