"""Twins of tables on PostgreSQL: nothing that a table had is lost in the swap, and what would be is refused."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shoal.drivers.base import Migration, Store, Table
from shoal.errors import EngineError, Unavailable
from tests.runtime.database import Database, database

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

TABLE = Table(name="Read.Model", key="id", columns=("id", "customer", "total"))
SQL = """
create table "Read"."Model" (
    id text constraint "the key" primary key,
    customer text not null,
    total bigint default 7 check (total > 0),
    "when" timestamptz,
    constraint one_each unique (customer, total)
) with (fillfactor = 70);
create index by_customer on "Read"."Model" (customer, total desc);
create index big on "Read"."Model" (total) where total > 100;
create index low on "Read"."Model" (lower(customer));
create index low_again on "Read"."Model" (lower(customer));
comment on column "Read"."Model".total is 'in cents';
"""
TRIGGER = """
create trigger t before update on "Read"."Model" for each row execute function suppress_redundant_updates_trigger();
"""
SHAPE = """
select indexdef as what from pg_indexes where tablename = 'Model'
union all select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
where conrelid = '"Read"."Model"'::regclass
union all select reloptions::text from pg_class where oid = '"Read"."Model"'::regclass
union all select col_description('"Read"."Model"'::regclass, 3)
union all select column_name || coalesce(column_default, '') || is_nullable from information_schema.columns
where table_name = 'Model'
order by what
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def store(server: Database) -> Store:
    made = server.store(await server.empty())
    await made.open()
    await _migrate(made, 'create schema "Read";' + SQL)
    return made


async def _migrate(store: Store, *scripts: str) -> None:
    await store.migrate(
        [Migration(number=n, name=str(n), sql=sql, checksum=str(n)) for n, sql in enumerate(scripts, start=1)]
    )


async def _shape(store: Store) -> list[object]:
    async with store.session() as session:
        return [row["what"] for row in await session.fetch(SHAPE)]


async def test_names_indexes_constraints_defaults_and_storage_survive_the_swap(store: Store) -> None:
    before = await _shape(store)
    twin = await store.twin(TABLE)
    async with store.session() as session:
        session.put(twin, {"id": "1", "customer": "ada", "total": 3})
        await session.replace(TABLE, twin)
    assert await _shape(store) == before
    async with store.session() as session:
        assert await session.count(TABLE, {}) == 1


@pytest.mark.parametrize(
    ("what", "sql"),
    [
        ("view seen", 'create view seen as select id from "Read"."Model";'),
        ("trigger t", TRIGGER),
        ("foreign key other_id_fkey", 'create table other (id text references "Read"."Model");'),
        ("sequence counter", 'create sequence "Read".counter owned by "Read"."Model".total;'),
        ("policy p", 'create policy p on "Read"."Model" using (true);'),
        ("inheritance", 'create table child () inherits ("Read"."Model");'),
        ("rights of PUBLIC", 'grant select on "Read"."Model" to public;'),
    ],
)  # fmt: skip
async def test_what_a_twin_cannot_have_is_named(server: Database, what: str, sql: str) -> None:
    store = server.store(await server.empty())
    await store.open()
    await _migrate(store, 'create schema "Read";' + SQL + sql)
    with pytest.raises(EngineError, match=what):
        await store.twin(TABLE)


async def test_a_table_that_is_missing_is_named(store: Store) -> None:
    with pytest.raises(EngineError, match="there is no table nothing"):
        await store.twin(Table(name="nothing", key="id", columns=("id",)))


async def test_a_long_name_has_a_twin_too(server: Database) -> None:
    store, name = server.store(await server.empty()), "t" * 63
    await store.open()
    await _migrate(store, f"create table {name} (id text primary key);")
    table = Table(name=name, key="id", columns=("id",))
    twin = await store.twin(table)
    async with store.session() as session:
        await session.replace(table, twin)


async def test_a_reader_who_does_not_end_keeps_the_swap_from_happening_and_nothing_else(store: Store) -> None:
    twin = await store.twin(TABLE)
    async with store.session() as reader:
        await reader.fetch('select 1 from "Read"."Model"')
        with pytest.raises(Unavailable):
            async with store.session() as session:
                await session.replace(TABLE, twin)
    async with store.session() as session:
        await session.replace(TABLE, twin)
