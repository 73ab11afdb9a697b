"""The contract of stores holds behind a pooler that gives each transaction another session of PostgreSQL."""

# ruff: noqa: PT012 - what fails is the end of a block

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shoal import Postgres, Service, Transaction
from shoal.drivers import open_search, open_store
from shoal.drivers.base import Query
from shoal.drivers.postgres.address import parse
from shoal.errors import Conflict, EngineError, TimedOut
from shoal.runtime.clock import SystemClock
from shoal.runtime.transacting import Transactor
from shoal.runtime.transaction import Announcer
from tests.conformance.harness import ORDERS, row, soon
from tests.conformance.inbox import InboxContract
from tests.conformance.outbox import MigrationContract, OutboxContract, QueryContract
from tests.conformance.rights import LeaseContract
from tests.conformance.savepoints import SavepointContract
from tests.conformance.store import ConflictContract, LockContract, TransactionContract, fill, ready
from tests.conformance.twins import TwinContract
from tests.drivers.pgbouncer import Pooler
from tests.drivers.postgres_engine import Engine, Harness

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pooler(engine: Engine, place: Path) -> AsyncIterator[Pooler]:
    pooler = Pooler(engine, place / "pooler")
    await pooler.start()
    yield pooler
    await pooler.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(engine: Engine, pooler: Pooler) -> AsyncIterator[Harness]:
    harness = Harness(engine, await engine.account())
    harness.url = pooler.url(harness.url) + "&pool=6"
    yield harness
    for store in harness.opened:
        await soon(store.close())


class TestTransactions(TransactionContract):
    pass


class TestConflicts(ConflictContract):
    pass


class TestLocks(LockContract):
    pass


class TestQueries(QueryContract):
    pass


class TestOutbox(OutboxContract):
    pass


class TestInbox(InboxContract):
    pass


class TestSavepoints(SavepointContract):
    pass


class TestLeases(LeaseContract):
    pass


class TestTwins(TwinContract):
    pass


class TestMigrations(MigrationContract):
    pass


async def test_many_connections_share_few_sessions(harness: Harness) -> None:
    store, other = await ready(harness), await harness.store()
    await fill(store, [row(str(number), total=0) for number in range(4)])
    seen: set[object] = set()

    async def add(number: int) -> None:
        key = str(number % 4)
        async with (store if number % 2 else other).session() as session:
            found = await session.get(ORDERS, key, lock=True)
            assert found is not None
            session.put(ORDERS, row(key, total=int(str(found["total"])) + 1))
            await session.flush()
            seen.update(r["pid"] for r in await session.fetch("select pg_backend_pid() as pid"))

    await soon(asyncio.gather(*(add(number) for number in range(48))))
    async with store.session() as session:
        totals = [found["total"] for found in await session.find(ORDERS, Query())]
    assert sum(map(int, map(str, totals))) == 48
    assert 1 < len(seen) <= 6


async def test_nothing_of_a_transaction_is_left_in_its_session(harness: Harness) -> None:
    store = await ready(harness)
    for _ in range(3):
        async with store.session() as session:
            await session.execute("set search_path to nowhere")
            await session.fetch("select pg_advisory_lock(7)")
            await session.execute("prepare left_over as select 1")
    for _ in range(3):
        async with store.session() as session:
            (found,) = await session.fetch(
                "select current_setting('search_path') as path, (select count(*) from pg_prepared_statements) as kept, "
                "(select count(*) from pg_locks where locktype = 'advisory' and objid = 7 and classid = 0) as locks"
            )
            assert "nowhere" not in str(found["path"])
            assert (found["kept"], found["locks"]) == (0, 0)


async def test_what_a_connection_says_of_itself_outlives_sql_that_sets_it_back(harness: Harness) -> None:
    direct = open_store(parse(harness.url).direct)
    async with direct.session() as session:
        await session.execute("alter role current_user set timezone = 'Asia/Tokyo'")
    await direct.close()
    harness.url = harness.url.replace("pool=6", "pool=1")
    store = await ready(harness)
    said = "select current_setting('timezone') as zone, current_setting('application_name') as name"
    for _ in range(3):
        async with store.session() as session:
            assert await session.fetch(said) == [{"zone": "UTC", "name": "shoal"}]


async def test_a_commit_that_fails_leaves_nothing_in_its_session(harness: Harness) -> None:
    store = await ready(harness)
    async with store.session() as session:
        await session.execute("create table late (id integer unique deferrable initially deferred)")
    for _ in range(8):
        with pytest.raises(Conflict):
            async with store.session() as session:
                await session.fetch("select pg_advisory_lock(9)")
                await session.execute("insert into late values (1), (1)")
    async with store.session() as session:
        (found,) = await session.fetch("select count(*) as n from pg_locks where locktype = 'advisory' and objid = 9")
        assert found["n"] == 0


async def test_each_transaction_brings_its_bounds(harness: Harness) -> None:
    harness.url += "&statement_timeout=50ms"
    store = await ready(harness)
    with pytest.raises(TimedOut):
        async with store.session() as session:
            await session.fetch("select pg_sleep(20)")
    async with store.session() as session:
        (found,) = await session.fetch("select current_setting('timezone') as zone, current_setting('jit') as jit")
    assert found == {"zone": "UTC", "jit": "off"}


async def test_indexes_of_words_are_found_through_it(harness: Harness) -> None:
    search = open_search(harness.url)
    assert await search.pointed("nothing") == ""
    await search.close()


async def test_sessions_of_sqlalchemy_share_them_too(harness: Harness) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy", reason="needs shoal[sqlalchemy]")
    from shoal.sqlalchemy import session  # noqa: PLC0415 - only where it is installed

    stores = [await ready(harness), await harness.store()]
    bare = Service("bare", store=Postgres(sql=True))
    runs = [Transactor(store, Announcer("t", bare, SystemClock()), lambda: None) for store in stores]

    async def count(tx: Transaction) -> int:
        async with session(tx) as db:
            return int((await db.scalars(sqlalchemy.text("select count(*) from orders"))).one())

    answers = await soon(asyncio.gather(*(runs[number % 2](count) for number in range(24))))
    assert answers == [0] * 24


async def test_a_pooler_that_hides_the_server_is_refused(harness: Harness) -> None:
    with pytest.raises(EngineError, match="not the server itself"):
        open_store(harness.url.partition("&direct=")[0])
    with pytest.raises(EngineError, match="asks for pooler='session'"):
        open_store(harness.url.replace("pooler=transaction", "pooler=session"))
