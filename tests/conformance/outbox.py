"""The contract of a `Store` that outlives a session: queries, outbox, migrations, failures."""

# ruff: noqa: PT012 - what fails is often the end of a session, and a session is a block

import asyncio
import itertools
import random
from collections.abc import Sequence

import pytest

from shoal.drivers.base import Migration, Pending, Query, Sent, Store, Table
from shoal.errors import MigrationError, Unavailable
from tests.conformance.harness import CREATE, ORDERS, PRICES, StoreHarness, back, mark, message, row, soon, turns
from tests.conformance.store import Stop, fill, keys, ready

NEXT = Migration(number=2, name="0002_next.sql", checksum="b" * 64, sql="create table next (id text primary key);")


def acknowledged(rows: Sequence[Pending]) -> list[Sent]:
    """Give rows the places that they have in the outbox."""
    return [Sent(position=row.position, sequence=row.position) for row in rows]


class QueryContract:
    """Which rows, in which order."""

    @pytest.mark.parametrize("lock", [False, True])
    async def test_conditions(self, harness: StoreHarness, lock: bool) -> None:
        store = await ready(harness)
        rows = [row("1", total=1), row("2", total=2, note="x"), row("3", total=2), row("4", total=None)]
        await fill(store, rows)
        for where, expected in (
            ({}, "1234"),
            ({"total": 2}, "23"),
            ({"total": None}, "4"),
            ({"total": (1, 2)}, "123"),
            ({"total": [1, None]}, "14"),
            ({"total": ()}, ""),
            ({"total": (2,), "note": None}, "3"),
            ({"total": 9}, ""),
        ):
            assert "".join(map(str, await keys(store, Query(where=where, lock=lock)))) == expected, where
            async with store.session() as session:
                assert await session.count(ORDERS, where) == len(expected)

    @pytest.mark.parametrize("lock", [False, True])
    async def test_bounds(self, harness: StoreHarness, lock: bool) -> None:
        store = await ready(harness)
        await fill(store, [row("1", total=1), row("2", total=2), row("3", total=3), row("4", total=None)])
        for query, expected in (
            (Query(above={"total": 1}, lock=lock), "23"),
            (Query(at_most={"total": 2}, lock=lock), "12"),
            (Query(below={"total": 2}, lock=lock), "1"),
            (Query(above={"total": 1, "id": "2"}, below={"total": 4}, lock=lock), "3"),
            (Query(below={"id": "2"}, lock=lock), "1"),
            (Query(below={"total": None}, lock=lock), ""),
        ):
            assert "".join(map(str, await keys(store, query))) == expected, query

    @pytest.mark.parametrize("lock", [False, True])
    async def test_order_and_page(self, harness: StoreHarness, lock: bool) -> None:
        store = await ready(harness)
        rows = [row("b", total=1), row("a", total=1), row("c", total=None), row("d", total=0, note="x")]
        await fill(store, rows)
        for query, expected in (
            (Query(), "abcd"),
            (Query(order=("total",)), "dabc"),
            (Query(order=("-total",)), "cabd"),
            (Query(order=("total", "-id")), "dbac"),
            (Query(order=("note", "total")), "dabc"),
            (Query(limit=2), "ab"),
            (Query(limit=2, offset=1, order=("-id",)), "cb"),
            (Query(offset=3), "d"),
            (Query(limit=0), ""),
            (Query(where={"note": None}, order=("-total",), limit=2, offset=1), "ab"),
        ):
            locked = Query(where=query.where, order=query.order, limit=query.limit, offset=query.offset, lock=lock)
            assert "".join(map(str, await keys(store, locked))) == expected, query


class OutboxContract:
    """What waits to be published."""

    async def test_rows_wait_in_order_until_they_are_sent(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        assert await store.backlog() == type(await store.backlog())(count=0, age=0)
        for number in range(5):
            async with store.session() as session:
                session.publish(message(number, traceparent="00-é", empty=""))
        backlog = await store.backlog()
        assert backlog.count == 5
        assert backlog.age >= 0
        async with store.outbox() as lease:
            first = await lease.pending(2)
            assert [pending.message for pending in first] == [
                message(number, traceparent="00-é", empty="") for number in (0, 1)
            ]
            assert await lease.pending(2) == first
            under_way = [pending.position for pending in first]
            assert [pending.message.id for pending in await lease.pending(2, under_way)] == ["m2", "m3"]
            for _ in range(2):
                await lease.sent(acknowledged(first))
            assert [pending.message.id for pending in await lease.pending(9)] == ["m2", "m3", "m4"]
        assert (await store.backlog()).count == 3

    async def test_late_commits_are_never_skipped(self, harness: StoreHarness) -> None:
        """Positions are taken in one order and committed in another, and the relay looks after each commit."""
        store = await ready(harness)
        chance = random.Random(7)  # noqa: S311 - shuffles
        seen: list[str] = []
        for base in range(0, 40, 5):
            gates = [asyncio.Event() for _ in range(5)]
            taken = asyncio.Barrier(6)

            async def write(number: int, gate: asyncio.Event, taken: asyncio.Barrier) -> None:
                async with store.session() as session:
                    session.publish(message(number))
                    await session.flush()
                    await taken.wait()
                    await gate.wait()

            writers = [asyncio.create_task(write(base + n, gate, taken)) for n, gate in enumerate(gates)]
            await soon(taken.wait())
            async with store.outbox() as lease:
                for number in chance.sample(range(5), 5):
                    gates[number].set()
                    await soon(writers[number])
                    found = await lease.pending(100)
                    seen += [pending.message.id for pending in found]
                    await lease.sent(acknowledged(found))
        assert sorted(seen) == sorted(f"m{number}" for number in range(40))

    async def test_one_holds_the_lease_until_it_leaves_or_dies(self, harness: StoreHarness) -> None:
        stores = [await ready(harness), await harness.store()]
        held = [asyncio.Event() for _ in range(4)]
        inside: set[int] = set()
        leave = asyncio.Event()

        async def relay(number: int) -> None:
            async with stores[number % 2].outbox() as lease:
                assert not inside
                inside.add(number)
                held[number].set()
                try:
                    await lease.pending(1)
                    await leave.wait()
                finally:
                    inside.discard(number)

        tasks = [asyncio.create_task(relay(number)) for number in range(4)]
        for _ in tasks:
            await soon(asyncio.wait([asyncio.ensure_future(e.wait()) for e in held], return_when="FIRST_COMPLETED"))
            await turns(stores[0])
            (holder,) = inside
            held[holder] = asyncio.Event()
            tasks[holder].cancel()
            await asyncio.wait({tasks[holder]})

    async def test_a_lease_that_was_given_back_is_lost(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.outbox() as lease:
            pass
        with pytest.raises(Unavailable):
            await lease.pending(1)
        with pytest.raises(Unavailable):
            await lease.sent([Sent(position=1, sequence=1)])


class MigrationContract:
    """Numbered files, once each."""

    async def test_new_files_are_applied_once_and_in_order(self, harness: StoreHarness) -> None:
        store = await harness.store()
        assert list(await store.migrate([CREATE])) == [CREATE]
        assert list(await store.migrate([NEXT, CREATE])) == [NEXT]
        assert list(await store.migrate([CREATE, NEXT])) == []

    async def test_several_processes_migrate_one_after_another(self, harness: StoreHarness) -> None:
        stores = [await harness.store() for _ in range(3)]
        done = await soon(asyncio.gather(*(store.migrate([CREATE, NEXT]) for store in stores)))
        assert sorted(map(len, done)) == [0, 0, 2]

    async def test_history_may_not_change(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        changed = Migration(number=1, name="0001_create.sql", checksum="c" * 64, sql="select 1")
        twin = Migration(number=1, name="0001_twin.sql", checksum="a" * 64, sql="select 1")
        for files, words in (([changed], "changed"), ([NEXT], "missing"), ([CREATE, twin], "same number")):
            with pytest.raises(MigrationError, match=words):
                await store.migrate(files)

    async def test_a_failing_file_leaves_nothing(self, harness: StoreHarness) -> None:
        if "sql" not in harness.capabilities:
            pytest.skip("the engine runs no SQL")
        store = await ready(harness)
        wrong = "create table half (id text);\n\nselect nothing from nowhere;\n"
        broken = Migration(number=2, name="0002_broken.sql", checksum="d" * 64, sql=wrong)
        with pytest.raises(MigrationError, match=r"0002_broken\.sql, line 3.*nowhere"):
            await store.migrate([CREATE, broken])
        async with store.session() as session:
            assert list(await session.fetch("select to_regclass('half')::text as half")) == [{"half": None}]
        assert list(await store.migrate([CREATE, NEXT])) == [NEXT]

    async def test_verify_says_what_is_missing(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        assert list(await store.verify([ORDERS, PRICES])) == []
        if "sql" not in harness.capabilities:
            return
        more = Table(
            name="orders",
            key="total",
            columns=("id", "total", "x"),
            json=frozenset({"id"}),
            unique=frozenset({"total"}),
        )
        assert list(await store.verify([Table(name="none", key="id", columns=("id",)), more])) == [
            "there is no table none",
            "column id of table orders is text, not jsonb",
            "table orders lacks column x",
            "table orders has no primary key or unique index on total alone",
            "table orders has no unique index on total alone",
        ]


class FailureContract:
    """What happens when somebody or something dies."""

    async def test_close_does_not_wait(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        with pytest.raises(Stop):
            async with store.session() as session, store.outbox():
                await session.get(ORDERS, "1", lock=True)
                await soon(store.close())
                raise Stop

    async def test_it_recovers_from_a_killed_engine(self, harness: StoreHarness) -> None:
        if "durable" not in harness.capabilities:
            pytest.skip("the engine ends with this process")
        store = await ready(harness)
        acknowledged = [f"{number:03}" for number in range(30)]
        await asyncio.gather(*(fill(store, [row(key)]) for key in acknowledged))
        async with store.outbox() as lease:
            with pytest.raises(Unavailable):
                async with store.session() as session:
                    await session.get(ORDERS, "000", lock=True)
                    await harness.crash()
                    session.put(ORDERS, row("000", total=1))
            with pytest.raises(Unavailable):
                await lease.pending(1)
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await soon(store.ping())
                with pytest.raises(Unavailable):
                    await soon(keys(store))
            with pytest.raises(Unavailable):
                await (await harness.store()).open()
        await harness.start()
        assert await back(lambda: keys(store)) == acknowledged
        await soon(asyncio.gather(*(fill(store, [row(f"later {n}")]) for n in range(20))))
        async with store.session() as session:
            assert (await session.get(ORDERS, "000") or {})["total"] == 0
        assert await soon(_pending(store)) == 0

    async def test_writers_that_were_cut_off_happened_whole_or_not_at_all(self, harness: StoreHarness) -> None:
        if "durable" not in harness.capabilities:
            pytest.skip("the engine ends with this process")
        store = await ready(harness)
        done: set[str] = set()
        tried: list[str] = []

        async def write(name: int) -> None:
            for number in itertools.count():
                tried.append(key := f"{name}-{number}")
                async with store.session() as session:
                    session.insert(ORDERS, row(key))
                    session.publish(message(key))
                    session.accept(mark(key))
                done.add(key)

        writers = [asyncio.create_task(write(name)) for name in range(6)]
        while len(done) < 60:
            await turns(store)
        await harness.crash()
        ends = await soon(asyncio.gather(*writers, return_exceptions=True))
        assert [type(end) for end in ends] == [Unavailable] * 6
        await harness.start()
        present = {str(key) for key in await back(lambda: keys(store))}
        async with store.outbox() as lease:
            published = {pending.message.id.removeprefix("m") for pending in await lease.pending(100_000)}
        assert done <= present <= set(tried)
        assert present == published


async def _pending(store: Store) -> int:
    async with store.outbox() as lease:
        return len(await lease.pending(10))
