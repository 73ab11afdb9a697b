"""The framework's tables in PostgreSQL: how they came to be, and how their parts come and go beside those who write."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shoal.drivers.base import OwnTable, Receipt, Sent, Store
from shoal.drivers.postgres import outbox, tidy
from shoal.drivers.postgres.outbox import PostgresOutbox
from shoal.drivers.postgres.partitions import Part, boundary, fresh
from shoal.errors import Duplicate, EngineError, MigrationError
from shoal.runtime.commands.entries import COMMANDS, KEPT, Entry, to_row
from shoal.runtime.commands.reading import commands
from tests.conformance.harness import CREATE, ORDERS, mark, message, row, soon
from tests.conformance.ledger import WEEK, acknowledge, published
from tests.conformance.ledger import tidy as tidied
from tests.conformance.store import RECEIPT, fill, ready
from tests.drivers.postgres_engine import Harness

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

DAY = timedelta(days=1)

BEFORE = """
create schema shoal;
create table shoal.migrations (
    number integer primary key, name text not null, checksum text not null,
    applied_at timestamptz not null default clock_timestamp()
);
create table shoal.outbox (
    position bigint generated always as identity, id text not null, subject text not null, body bytea not null,
    headers jsonb not null, created_at timestamptz not null default clock_timestamp(), sent_at timestamptz
);
create index outbox_unsent on shoal.outbox (position) where sent_at is null;
create table shoal.inbox (
    consumer text not null, message_id text not null, at timestamptz not null default clock_timestamp(),
    primary key (consumer, message_id)
);
create table shoal.receipts (
    key text primary key, fingerprint text not null, status integer not null, headers jsonb not null,
    body bytea not null, at timestamptz not null default clock_timestamp()
);
insert into shoal.outbox (id, subject, body, headers, sent_at)
    select 'm' || n, 't.event.placed', convert_to('body ' || n, 'utf8'), '{}', case when n < 90 then now() end
    from generate_series(0, 99) as n;
insert into shoal.inbox (consumer, message_id, at)
    select 'c', 'old' || n, '2026-01-02' from generate_series(1, 50) as n;
insert into shoal.receipts (key, fingerprint, status, headers, body) values
    ('k', 'f', 201, '[["a", "b"], ["a", "c"]]', convert_to('done', 'utf8')), (E'seed\\nstock', '', 200, '[]', '');
"""
"""What the first versions made, with something in it."""

MANY = """
insert into shoal.outbox (id, subject, key, body) select n::text, 's', '', '' from generate_series(1, $1::int) as n
"""


async def _run(store: Store, sql: str) -> None:
    async with store.session() as session:
        for statement in sql.split(";\n"):
            if statement.strip():
                await session.execute(statement)


async def test_the_tables_of_the_first_versions_lose_nothing(harness: Harness) -> None:
    store = await harness.store()
    await _run(store, BEFORE)
    assert list(await store.migrate([CREATE])) == [CREATE]
    assert list(await store.migrate([CREATE])) == []
    assert (await store.backlog()).count == 10
    async with store.session() as session:
        session.publish(message("new", key="k"))
        session.accept(mark())
    async with store.outbox() as lease:
        assert [pending.message.id for pending in await lease.pending(99)] == [
            *(f"m{n}" for n in range(90, 100)),
            "mnew",
        ]
        assert (await lease.pending(1))[0].message == message(90)
        await acknowledge(lease, 11)
    assert len(await store.announced(0, 1000)) == 101
    assert len({one.position for one in await store.announced(0, 1000)}) == 101
    old = mark("old1").__class__(consumer="c", message_id="old1", at=datetime(2026, 1, 2, tzinfo=UTC))
    assert await store.handled([old, mark()]) == {old, mark()}
    assert (await store.receipt("k") or RECEIPT).body == b"done"
    assert (await store.receipt("seed\nstock") or RECEIPT).lasting
    await harness.age(9)
    await tidied(store)
    assert list(await store.announced(0, 10)) == []
    assert not await store.handled([old])
    assert await store.receipt("k") is None
    assert await store.receipt("seed\nstock") is not None


async def test_keys_of_own_tables_are_in_the_order_of_code_points_in_any_database(harness: Harness) -> None:
    store = await harness.store()
    await store.migrate([], [OwnTable(name="things", key="id", columns=(("id", "text"), ("due", "time")))])
    sql = """
    select l.collname::text as name from pg_attribute a join pg_collation l on l.oid = a.attcollation
    where a.attrelid = 'shoal.things'::regclass and a.attname = 'id'
    """
    async with store.session() as session:
        assert list(await session.fetch(sql)) == [{"name": "C"}]


async def test_commands_on_record_can_be_neither_changed_nor_removed_before_their_time(harness: Harness) -> None:
    store = await harness.store()
    await store.migrate([], [COMMANDS])
    await store.migrate([], [COMMANDS])
    now = datetime.now(UTC)
    old, young = (
        Entry(id=name, at=at, operation="change", path={"sku": "ä"}, roles=("admin",), trace_id="t", status=204)
        for name, at in (("1", now - KEPT), ("2", now - KEPT + DAY))
    )
    async with store.session() as session:
        session.insert(COMMANDS.table, to_row(old))
        session.insert(COMMANDS.table, to_row(young))
    assert await commands(store) == [young, old]
    for forbidden in (
        "update shoal.commands set status = 403 where id = '1'",
        "update shoal.commands set kept_until = now() where id = '2'",
        "delete from shoal.commands",
        "truncate shoal.commands",
    ):
        with pytest.raises(EngineError, match="commands stay as they were written"):
            await _run(store, forbidden)
    async with store.session() as session:
        session.delete(COMMANDS.table, old.id)
    assert await commands(store) == [young]


async def test_a_failed_change_of_layout_leaves_the_old_one(harness: Harness) -> None:
    store = await harness.store()
    await _run(store, BEFORE + "create table shoal.inbox_rest (id text);\n")
    with pytest.raises(MigrationError, match="inbox_rest"):
        await store.migrate([CREATE])
    async with store.session() as session:
        assert list(await session.fetch("select count(*) as n from shoal.outbox where sent_at is null")) == [{"n": 10}]


async def test_a_part_goes_once_those_who_hold_it_have_ended(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = await published(harness, 3)
    async with store.outbox() as lease:
        await acknowledge(lease, 3)
    await harness.age(9)
    monkeypatch.setattr(tidy, "_TRIES", 1)
    async with store.session() as session:
        session.publish(message(3))
        await session.flush()
        writing = asyncio.create_task(fill(store, [row("1")]))
        await tidied(store)
        await soon(writing)
        assert len(await store.announced(0, 9)) == 3
    assert "those who write left no gap" in caplog.text
    await tidied(store)
    assert [one.id for one in await store.announced(0, 9)] == ["m3"]


async def test_writers_go_on_while_parts_come_and_go(harness: Harness) -> None:
    store = await ready(harness)
    done = asyncio.Event()
    slowest = 0.0

    async def write(name: int) -> int:
        nonlocal slowest
        loop, number = asyncio.get_running_loop(), 0
        while not done.is_set():
            started = loop.time()
            async with store.session() as session:
                session.publish(message(f"{name}-{number}"))
                session.accept(mark(f"{name}-{number}"))
            number, slowest = number + 1, max(slowest, loop.time() - started)
        return number

    for day in range(3):
        done.clear()
        writers = [asyncio.create_task(write(day * 10 + n)) for n in range(4)]
        await tidied(store)
        done.set()
        assert all(await soon(asyncio.gather(*writers)))
        async with store.outbox() as lease:
            await acknowledge(lease, 100_000)
        await harness.age(4)
    assert (await store.backlog()).count == 0


async def test_many_unsent_rows_keep_their_part(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await published(harness, 3)
    await harness.age(9)
    monkeypatch.setattr(tidy, "MOST_MOVED", 2)
    await tidied(store)
    assert await _parts(store, "outbox", "first") == 1
    monkeypatch.setattr(tidy, "MOST_MOVED", 3)
    await tidied(store)
    assert await _parts(store, "outbox", "first") == 0
    async with store.outbox() as lease:
        assert [pending.message.id for pending in await lease.pending(9)] == ["m0", "m1", "m2"]


async def test_rows_for_whose_time_nothing_was_made_are_kept_and_let_go_of(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    store = await ready(harness)
    await harness.age(5)  # nobody tidied for days
    async with store.session() as session:
        session.publish(message(1))
        session.accept(mark())
    assert await _rows(store, "outbox_rest") == await _rows(store, "inbox_rest") == 1
    await tidied(store)
    assert "the default part has rows of its time" in caplog.text
    with pytest.raises(Duplicate):
        async with store.session() as session:
            session.accept(mark())
    async with store.outbox() as lease:
        await acknowledge(lease, 1)
    await harness.age(9)
    await tidied(store)
    assert await _rows(store, "outbox_rest") == await _rows(store, "inbox_rest") == 0


async def test_another_width_begins_where_the_last_part_ends(harness: Harness) -> None:
    store = await ready(harness)
    await tidied(store)
    days = await _count(store, "outbox")
    harness.url += "&part=1"
    other = await harness.store()
    await harness.age(3)
    await tidied(other)
    assert await _count(store, "outbox") > days + 1
    async with other.session() as session:
        session.publish(message(1))
    assert await _rows(store, "outbox_rest") == 0


async def test_several_tidy_at_a_time(harness: Harness) -> None:
    store = await published(harness, 2)
    async with store.outbox() as lease:
        await acknowledge(lease, 2)
        await harness.age(9)
        await soon(asyncio.gather(*(lease.tidy(WEEK) for _ in range(3))))
    assert list(await store.announced(0, 9)) == []


async def test_the_relay_looks_by_index(harness: Harness) -> None:
    """Also right after many rows came, of which the planner has not heard."""
    store = await ready(harness)
    async with store.session() as session:
        await session.execute(MANY, 20000)
    async with store.outbox() as lease:
        assert isinstance(lease, PostgresOutbox)
        for sql, arguments in ((outbox._SENT, ([1], [1], 1)), (outbox._PENDING, (500, [1]))):
            plan = await lease._link.fetch(f"explain {sql}", arguments)
            assert not [line for line in plan if "Seq Scan on outbox" in str(line)]
        await soon(lease.sent([Sent(position=n, sequence=n) for n in range(1, 19_000)]))
    assert (await store.backlog()).count == 1001


async def test_a_large_backlog_is_measured_without_counting_it(harness: Harness) -> None:
    store = await ready(harness)
    async with store.session() as session:
        await session.execute(MANY, 12000)
    assert (await store.backlog()).count == 12_000
    async with store.outbox() as lease:
        await lease.sent([Sent(position=row.position, sequence=1) for row in await lease.pending(1500)])
    assert (await store.backlog()).count == 10_500


async def test_a_receipt_of_a_seed_is_not_taken_for_a_command(harness: Harness) -> None:
    store = await ready(harness)
    seed = Receipt(key="seed\nx", fingerprint="", status=200, headers=(), body=b"", lasting=True)
    async with store.session() as session:
        session.answer(seed)
        session.put(ORDERS, row("1"))
    with pytest.raises(Duplicate):
        async with store.session() as session:
            session.answer(seed)


@pytest.mark.parametrize(("hours", "width"), [(0.0, 24), (5.5, 24), (23.99, 24), (3.2, 1), (24.0, 6)])
async def test_parts_cover_the_future_without_a_gap(hours: float, width: int) -> None:
    now, step = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours), timedelta(hours=width)
    made = [*fresh("t", (), now, step)]
    assert made[0][0] == "t_first"
    assert [one[2] for one in made[:-1]] == [one[1] for one in made[1:]]
    assert made[-1][2] >= f"'{(now + 2 * step).isoformat()}'"
    present = [Part(name=name, end=datetime.fromisoformat(end.strip("'"))) for name, _, end in made]
    assert [*fresh("t", present, now, step)] == []
    later = [*fresh("t", present, now + step, step)]
    assert [one[1] for one in later] == [made[-1][2]]
    assert boundary(now, step) > now >= boundary(now, step) - step


async def _rows(store: Store, table: str) -> object:
    async with store.session() as session:
        return (await session.fetch(f"select count(*) as n from shoal.{table}"))[0]["n"]  # noqa: S608


async def _count(store: Store, table: str) -> int:
    async with store.session() as session:
        found = await session.fetch(
            "select count(*) as n from pg_inherits where inhparent = $1::text::regclass", f"shoal.{table}"
        )
        return int(str(found[0]["n"]))


async def _parts(store: Store, table: str, suffix: str) -> object:
    async with store.session() as session:
        found = await session.fetch("select count(*) as n from pg_class where relname = $1", f"{table}_{suffix}")
        return found[0]["n"]
