"""PostgreSQL keeps the contract of stores, and what is its own."""

# ruff: noqa: PT012 - what fails is often the end of a block

import asyncio
import contextlib
import random
import traceback

import pytest

from shoal.drivers import open_store, store_admin
from shoal.drivers.base import Account, Migration, Query, Receipt, Store
from shoal.errors import Conflict, Duplicate, EngineError, MigrationError, Unavailable, Unstorable
from shoal.local.engines import postgres
from tests.conformance.harness import CREATE, ORDERS, mark, message, row, soon
from tests.conformance.inbox import InboxContract
from tests.conformance.ledger import AgeContract, LedgerContract, OwnTableContract
from tests.conformance.outbox import MigrationContract, OutboxContract, QueryContract
from tests.conformance.rights import LeaseContract
from tests.conformance.savepoints import SavepointContract
from tests.conformance.store import ConflictContract, LockContract, TransactionContract, fill, keys, ready
from tests.conformance.twins import TwinContract
from tests.drivers.postgres_engine import PASSWORD, Engine, Harness

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

QUOTED = "nobody's business"


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


class TestLedger(LedgerContract):
    pass


class TestAge(AgeContract):
    pass


class TestOwnTables(OwnTableContract):
    pass


class TestTwins(TwinContract):
    pass


class TestMigrations(MigrationContract):
    pass


async def superuser(engine: Engine, database: str) -> Store:
    store = open_store(engine.url(postgres.SUPERUSER, PASSWORD, database))
    await store.open()
    return store


async def test_a_durable_command_is_one_statement(engine: Engine, harness: Harness) -> None:
    store = await ready(harness)
    async with store.session() as session:
        session.put(ORDERS, row("0"))
    watcher = await superuser(engine, harness.made.database)
    async with watcher.session() as session:
        await session.execute("create extension pg_stat_statements")
        await session.execute("select pg_stat_statements_reset()")
    for number in range(1, 11):
        async with store.session() as session:
            assert await session.get(ORDERS, "0") is not None
            session.insert(ORDERS, row(str(number)))
            session.publish(message(number))
            session.accept(mark(number))
            session.answer(Receipt(key=str(number), fingerprint="", status=201, headers=(), body=b""))
    counted = (
        "select calls, query like 'with%' as writes from pg_stat_statements "
        "where userid = $1::regrole order by query like 'with%'"
    )
    async with watcher.session() as session:
        found = await session.fetch(counted, harness.made.role)
    await watcher.close()
    assert list(found) == [{"calls": 10, "writes": False}, {"calls": 10, "writes": True}]


async def test_marks_of_a_batch_are_one_statement_also_between_sql_of_the_service(
    engine: Engine, harness: Harness
) -> None:
    store = await ready(harness)
    await fill(store, [row("0", total=0)])
    watcher = await superuser(engine, harness.made.database)
    async with watcher.session() as session:
        await session.execute("create extension pg_stat_statements")
        await session.execute("select pg_stat_statements_reset()")
    async with store.session() as session:
        for number in range(10):
            session.accept(mark(number))
            await session.execute("update orders set total = total + 1 where id = $1", "0")
    counted = "select sum(calls)::int as calls from pg_stat_statements where query like '%shoal.inbox%'"
    async with watcher.session() as session:
        assert await session.fetch(counted) == [{"calls": 1}]
    await watcher.close()
    assert len(await store.handled([mark(number) for number in range(10)])) == 10


async def test_a_repetition_undoes_what_sql_of_the_service_did(harness: Harness) -> None:
    store = await ready(harness)
    await fill(store, [row("0", total=0)])

    async def add(number: int) -> None:
        async with store.session() as session:
            session.accept(mark(number))
            await session.execute("update orders set total = total + 1 where id = $1", "0")

    await add(1)
    await add(2)
    with pytest.raises(Duplicate):
        await add(1)
    async with store.session() as session:
        assert (await session.get(ORDERS, "0") or {})["total"] == 2


async def test_sql_that_runs_later_runs_in_its_place(harness: Harness) -> None:
    store, draw = await ready(harness), random.Random(1)  # noqa: S311 - the same every time
    expected: dict[str, int] = {}
    for _ in range(20):
        async with store.session() as session:
            for _ in range(draw.randrange(1, 80)):
                key, total = str(draw.randrange(3)), draw.randrange(10)
                what = draw.choice(["put", "later", "later", "later", "get", "delete", "now"])
                if what == "get":
                    assert ((await session.get(ORDERS, key)) or {}).get("total") == expected.get(key)
                elif what == "put":
                    session.put(ORDERS, row(key, total=total))
                    expected[key] = total
                elif what == "delete":
                    session.delete(ORDERS, key)
                    expected.pop(key, None)
                else:
                    run = session.execute if what == "now" else session.execute_later
                    await run("update orders set total = (total * 2 + $2) % 1000 where id = $1", key, total)
                    expected |= {key: (expected[key] * 2 + total) % 1000} if key in expected else {}
    async with store.session() as session:
        assert {found["id"]: found["total"] for found in await session.find(ORDERS, Query())} == expected


async def test_sql_that_runs_later_fails_with_its_part_or_the_whole(harness: Harness) -> None:
    store = await ready(harness)
    insert = "insert into orders (id, total) values ($1, $2)"
    async with store.session() as session:
        await session.execute_later(insert, "1", 1)
        with pytest.raises(Conflict):
            async with session.savepoint():
                await session.execute_later(insert, "2", 1)
                await session.execute_later(insert, "1", 1)
                await session.flush()
        async with session.savepoint():
            await session.execute_later(insert, "3", 1)
    assert await keys(store) == ["1", "3"]
    with pytest.raises(Conflict):
        async with store.session() as session:
            for key in ("4", "5", "1"):
                await session.execute_later(insert, key, 1)
    assert await keys(store) == ["1", "3"]


@pytest.mark.parametrize("how", ["execute", "execute_later"])
async def test_settings_of_own_sql_do_not_leak(harness: Harness, how: str) -> None:
    store = await ready(harness)
    before: set[object] = set()
    for end in (None, ValueError):
        with contextlib.suppress(ValueError):
            async with store.session() as session:
                before.add((await session.fetch("select current_setting('search_path') as path"))[0]["path"])
                await getattr(session, how)("set search_path to shoal")
                await getattr(session, how)("select pg_advisory_lock(1)")
                if end is not None:
                    raise end
    async with store.session() as session:
        (found,) = await session.fetch("select current_setting('search_path') as path, pg_try_advisory_lock(1) as free")
    assert before == {found["path"]}
    assert found["free"]


async def test_no_connection_waits_or_is_held_for_ever(harness: Harness) -> None:
    store = await ready(harness)
    names = ("statement_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")
    async with store.session() as session:
        found = [(await session.fetch("select current_setting($1) as it", name))[0]["it"] for name in names]
    assert found == ["10s", "30s", "on"]


async def test_nobody_waits_long_for_a_connection(harness: Harness) -> None:
    store = await ready(harness)

    async def hold() -> None:
        async with store.session() as session:
            await session.get(ORDERS, "1", lock=True)
            await asyncio.Event().wait()

    holders = [asyncio.create_task(hold()) for _ in range(9)]
    await asyncio.wait(holders, timeout=3)
    failed = [task for task in holders if task.done()]
    assert len(failed) == 3
    assert all(isinstance(task.exception(), Unavailable) for task in failed)
    for task in holders:
        task.cancel()
    await asyncio.wait(holders)
    await store.ping()


async def test_a_role_opens_its_own_database_only(engine: Engine, harness: Harness) -> None:
    other = await engine.account()
    for database in (other.database, "postgres", "template1"):
        with pytest.raises(EngineError, match="refused") as caught:
            await open_store(engine.url(harness.made.role, harness.made.password, database)).open()
        assert not isinstance(caught.value, Unavailable)


async def test_a_wrong_password_is_not_repeated(engine: Engine, harness: Harness) -> None:
    with pytest.raises(EngineError, match="refused") as caught:
        await open_store(engine.url(harness.made.role, "wr0ng", harness.made.database)).open()
    assert "wr0ng" not in str(caught.value)


async def test_declaring_an_account_again_keeps_its_data_and_takes_a_new_password(
    engine: Engine, harness: Harness
) -> None:
    await fill(await ready(harness), [row("1")])
    changed = Account(database=harness.made.database, role=harness.made.role, password="new")
    for _ in range(2):
        await store_admin(engine.operator).declare([changed])
    with pytest.raises(EngineError, match="refused"):
        await open_store(harness.url).open()
    store = open_store(engine.url(changed.role, "new", changed.database))
    assert await keys(store) == ["1"]
    await store.close()


async def test_passwords_are_not_in_the_log(engine: Engine, harness: Harness) -> None:
    store = await ready(harness)
    with pytest.raises(EngineError):
        async with store.session() as session:
            await session.fetch("select nothing from nowhere")
    assert not [line for line in engine.log if "pass'word" in line or PASSWORD in line]


async def test_a_migration_may_not_end_its_transaction(harness: Harness) -> None:
    store = await ready(harness)
    file = Migration(number=2, name="0002_ends.sql", checksum="e" * 64, sql="select 1; commit;")
    with pytest.raises(MigrationError, match="ends the transaction"):
        await store.migrate([CREATE, file])


async def test_a_second_start_does_not_wait_for_those_who_write(harness: Harness) -> None:
    store = await ready(harness)
    async with store.session() as session:
        session.publish(message(1))
        await session.flush()  # an open transaction holds the outbox
        assert list(await soon(store.migrate([CREATE]))) == []


async def test_other_constraints_are_conflicts_and_wrong_values_are_errors(harness: Harness) -> None:
    store = await ready(harness)
    sql = "alter table orders add check (total >= 0); alter table orders alter column customer set not null;"
    await store.migrate([CREATE, Migration(number=2, name="0002_check.sql", checksum="f" * 64, sql=sql)])
    with pytest.raises(Conflict, match="orders_total_check"):
        await fill(store, [row("1", total=-1)])
    for wrong in (row("1", total="many"), row("1", customer=None)):
        with pytest.raises(EngineError) as caught:
            await fill(store, [wrong])
        assert not isinstance(caught.value, Unavailable | Conflict)
    await store.ping()


@pytest.mark.parametrize("fields", [{"note": "a\0b"}, {"total": 2**80}, {"total": 2**40}, {"lines": '["\\u0000"]'}])
async def test_a_value_that_fits_nowhere_is_unstorable(harness: Harness, fields: dict[str, object]) -> None:
    store = await ready(harness)
    with pytest.raises(Unstorable):
        await fill(store, [row("1", **fields)])


async def test_an_error_quotes_no_row(harness: Harness) -> None:
    store = await ready(harness)
    await fill(store, [row("1", customer=QUOTED)])
    with pytest.raises(Conflict) as caught:
        await fill(store, [row("2", customer=QUOTED)])
    assert QUOTED not in "".join(traceback.format_exception(caught.value))
