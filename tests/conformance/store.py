"""The contract of a `Store` and its `Session`, sentence by sentence. Subclasses bring the fixture ``harness``."""

# ruff: noqa: PT012 - what fails is often the end of a session, and a session is a block

import asyncio
import json
from collections.abc import Sequence

import pytest

from shoal.drivers.base import Query, Receipt, Row, Session, Store, Table
from shoal.errors import Conflict, Duplicate, EngineError
from tests.conformance.harness import CREATE, ORDERS, PRICES, StoreHarness, few, mark, message, row, soon, turns

RECEIPT = Receipt(key="k", fingerprint="f", status=201, headers=(("a", "b"), ("a", "c")), body=b"\x00done")


async def ready(harness: StoreHarness) -> Store:
    """Open a store with its tables."""
    store = await harness.store()
    await store.migrate([CREATE])
    return store


async def keys(store: Store, query: Query | None = None, table: Table = ORDERS) -> list[object]:
    """Read the keys of the rows that match."""
    async with store.session() as session:
        return [found[table.key] for found in await session.find(table, query or Query())]


async def fill(store: Store, rows: Sequence[Row], table: Table = ORDERS) -> None:
    """Write rows."""
    async with store.session() as session:
        for one in rows:
            session.put(table, one)


class Stop(Exception):
    """Ends a session's block."""


class TransactionContract:
    """Commit, roll back, and what a session sees."""

    async def test_ping_answers(self, harness: StoreHarness) -> None:
        await (await harness.store()).ping()

    async def test_everything_commits_together(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            everything(session)
        assert await keys(store) == ["1"]
        assert await store.receipt("k") == RECEIPT
        assert await store.receipt("other") is None
        assert (await store.backlog()).count == 1
        with pytest.raises(Duplicate):
            async with store.session() as session:
                session.accept(mark())

    @pytest.mark.parametrize("flushed", [False, True])
    async def test_an_exception_rolls_everything_back(self, harness: StoreHarness, flushed: bool) -> None:
        store = await ready(harness)
        with pytest.raises(Stop):
            async with store.session() as session:
                everything(session)
                if flushed:
                    await session.flush()
                raise Stop
        await assert_nothing(store)

    async def test_a_session_without_use_is_free(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session():
            pass

    async def test_reads_see_own_writes(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            session.insert(ORDERS, row("1", total=1))
            assert (await session.get(ORDERS, "1") or {})["total"] == 1
            session.put(ORDERS, row("1", total=2))
            assert (await session.get(ORDERS, "1") or {})["total"] == 2
            session.put(ORDERS, row("2"))
            assert await session.count(ORDERS, {}) == 2
            session.delete(ORDERS, "1")
            assert await session.get(ORDERS, "1") is None
            assert [found["id"] for found in await session.find(ORDERS, Query())] == ["2"]
            session.put(PRICES, {"sku": "s", "amount": 1})
            assert await session.get(ORDERS, "2") is not None
        assert await keys(store) == ["2"]

    async def test_others_do_not_see_what_is_not_committed(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            everything(session)
            await session.flush()
            await assert_nothing(store, accepted=False)

    async def test_the_last_write_of_a_row_wins(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("old"), row("gone")])
        async with store.session() as session:
            session.put(ORDERS, row("1", note="a"))
            session.put(ORDERS, row("1", note="b"))
            session.insert(ORDERS, row("2", note="a"))
            session.put(ORDERS, row("2", note="b"))
            session.delete(ORDERS, "old")
            session.insert(ORDERS, row("old", note="b"))
            session.put(ORDERS, row("gone"))
            session.delete(ORDERS, "gone")
            session.delete(ORDERS, "gone")
        async with store.session() as session:
            found = await session.find(ORDERS, Query())
        assert [(one["id"], one["note"]) for one in found] == [("1", "b"), ("2", "b"), ("old", "b")]

    async def test_a_unique_value_moves_from_one_row_to_another(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1", customer="x")])
        async with store.session() as session:
            session.put(ORDERS, row("1", customer="y"))
            session.insert(ORDERS, row("2", customer="x"))
            session.delete(ORDERS, "1")
            session.insert(ORDERS, row("3", customer="y"))
        assert await keys(store) == ["2", "3"]

    async def test_put_replaces_the_whole_row(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1", note="old", total=5)])
        await fill(store, [{"id": "1", "customer": "new"}])
        async with store.session() as session:
            found = await session.get(ORDERS, "1")
        assert found == {"id": "1", "customer": "new", "total": None, "note": None, "lines": None}

    async def test_many_writes_of_many_kinds(self, harness: StoreHarness) -> None:
        store, many = await ready(harness), few(harness, 1000) // 5
        async with store.session() as session:
            for number in range(many):
                session.insert(ORDERS, row(f"{number:03}"))
                session.put(PRICES, {"sku": f"{number:03}", "amount": number})
                session.publish(message(number))
                session.accept(mark(number))
        assert await keys(store) == [f"{number:03}" for number in range(many)]
        assert len(await keys(store, table=PRICES)) == many
        async with store.outbox() as lease:
            found = [pending.message for pending in await lease.pending(1000)]
        assert found == [message(number) for number in range(many)]

    async def test_deleting_nothing_is_nothing(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            session.delete(ORDERS, "none")

    async def test_json_comes_back_as_text(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        lines = [{"sku": "a", "é": None}, 1.5]
        await fill(store, [row("1", lines=json.dumps(lines))])
        async with store.session() as session:
            found = await session.get(ORDERS, "1") or {}
        assert json.loads(str(found["lines"])) == lines

    async def test_a_session_that_failed_does_not_commit(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")])
        with pytest.raises(EngineError, match="rolled back"):
            async with store.session() as session:
                session.put(PRICES, {"sku": "s", "amount": 1})
                session.insert(ORDERS, row("1"))
                with pytest.raises(Conflict):
                    await session.flush()
        assert await keys(store, table=PRICES) == []

    async def test_sql_of_its_own(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        if "sql" not in harness.capabilities:
            with pytest.raises(EngineError, match="no SQL"):
                async with store.session() as session:
                    await session.fetch("select 1")
            return
        with pytest.raises(Stop):
            async with store.session() as session:
                session.put(ORDERS, row("1", total=1))
                await session.execute("update orders set total = total + $1", 2)
                assert list(await session.fetch("select total from orders where id = $1", "1")) == [{"total": 3}]
                raise Stop
        assert await keys(store) == []


class ConflictContract:
    """What the engine holds already."""

    async def test_a_taken_key_is_a_conflict(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")])
        with pytest.raises(Conflict, match="orders") as caught:
            async with store.session() as session:
                session.insert(ORDERS, row("1", customer="other"))
                session.publish(message(1))
        assert not isinstance(caught.value, Duplicate)
        assert (await store.backlog()).count == 0

    async def test_a_key_inserted_twice_is_a_conflict(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        with pytest.raises(Conflict):
            async with store.session() as session:
                session.insert(ORDERS, row("1"))
                session.insert(ORDERS, row("1"))
        assert await keys(store) == []

    async def test_a_taken_unique_value_is_a_conflict(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1", customer="x"), row("2", customer=None), row("3", customer=None)])
        for write in ("put", "insert"):
            with pytest.raises(Conflict, match="customer"):
                async with store.session() as session:
                    getattr(session, write)(ORDERS, row("4", customer="x"))
        assert await keys(store) == ["1", "2", "3"]

    @pytest.mark.parametrize("together", [False, True])
    async def test_a_message_is_accepted_once_by_each_consumer(self, harness: StoreHarness, together: bool) -> None:
        store = await ready(harness)
        async with store.session() as session:
            session.accept(mark())
            session.accept(mark(consumer="d"))
            session.accept(mark("n"))
        with pytest.raises(Duplicate):
            async with store.session() as session:
                session.put(ORDERS, row("1"))
                session.publish(message(1))
                session.answer(RECEIPT)
                session.accept(mark(consumer="e"))
                session.accept(mark(consumer="e" if together else "c"))
        assert await keys(store) == []
        assert await store.receipt("k") is None
        assert (await store.backlog()).count == 0

    async def test_a_key_is_answered_once(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            session.answer(RECEIPT)
        with pytest.raises(Duplicate):
            async with store.session() as session:
                session.put(ORDERS, row("1"))
                session.answer(Receipt(key="k", fingerprint="g", status=200, headers=(), body=b""))
        assert await store.receipt("k") == RECEIPT
        assert await keys(store) == []

    async def test_an_unknown_column_is_an_error(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        for query in (Query(where={"x": 1}), Query(order=("-x",))):
            with pytest.raises(EngineError, match="no column 'x'"):
                await keys(store, query)
        with pytest.raises(EngineError, match="no column 'x'"):
            await fill(store, [row("1", x=1)])

    async def test_of_many_writers_one_wins(self, harness: StoreHarness) -> None:
        stores = [await ready(harness), await harness.store()]

        async def insert(number: int) -> None:
            async with stores[number % 2].session() as session:
                session.insert(ORDERS, row("1", note=str(number)))
                session.publish(message(number))

        async def accept(number: int) -> None:
            async with stores[number % 2].session() as session:
                session.accept(mark())
                session.publish(message(number))

        for task in (insert, accept):
            ends = await soon(asyncio.gather(*map(task, range(10)), return_exceptions=True))
            assert sum(end is None for end in ends) == 1
            assert all(end is None or isinstance(end, Conflict) for end in ends)
        assert (await stores[0].backlog()).count == 2


class LockContract:
    """Rows held against others."""

    async def test_no_update_is_lost_under_a_lock(self, harness: StoreHarness) -> None:
        stores = [await ready(harness), await harness.store()]
        await fill(stores[0], [row("1")])

        async def add(number: int) -> None:
            async with stores[number % 2].session() as session:
                found = await session.get(ORDERS, "1", lock=True) or {}
                session.put(ORDERS, row("1", total=int(str(found["total"])) + 1))

        await soon(asyncio.gather(*map(add, range(12))))
        async with stores[0].session() as session:
            assert (await session.get(ORDERS, "1") or {})["total"] == 12

    @pytest.mark.parametrize("how", ["get", "find", "put"])
    async def test_a_lock_waits_for_the_end_of_its_holder(self, harness: StoreHarness, how: str) -> None:
        store = await ready(harness)
        await fill(store, [row("1"), row("2")])
        seen: list[object] = []

        async def second() -> None:
            async with store.session() as session:
                if how == "put":
                    session.put(ORDERS, row("1", total=2))
                    await session.flush()
                    seen.append("put")
                elif how == "get":
                    seen.append((await session.get(ORDERS, "1", lock=True) or {})["total"])
                else:
                    query = Query(where={"total": (0, 1)}, order=("-id",), limit=2, lock=True)
                    seen.extend(found["id"] for found in await session.find(ORDERS, query))

        async with store.session() as session:
            await session.get(ORDERS, "1", lock=True)
            task = asyncio.create_task(second())
            session.put(ORDERS, row("1", total=5))
            await session.flush()
            await turns(store)
            assert (await session.get(ORDERS, "2") or {})["total"] == 0
            assert not seen
        await soon(task)
        assert seen == {"get": [5], "find": ["2"], "put": ["put"]}[how]

    async def test_a_missing_row_is_not_locked(self, harness: StoreHarness) -> None:
        stores = [await ready(harness), await harness.store()]
        met = asyncio.Barrier(2)

        async def make(store: Store) -> None:
            async with store.session() as session:
                assert await session.get(ORDERS, "1", lock=True) is None
                await met.wait()
                session.insert(ORDERS, row("1"))

        ends = await soon(asyncio.gather(*map(make, stores), return_exceptions=True))
        assert sorted(type(end).__name__ for end in ends) == ["Conflict", "NoneType"]

    async def test_rows_are_locked_in_one_order(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row(f"{number}", total=number) for number in range(6)])

        async def lock(order: str) -> None:
            for _ in range(10):
                async with store.session() as session:
                    found = await session.find(ORDERS, Query(order=(order,), lock=True, limit=6))
                    assert len(found) == 6

        await soon(asyncio.gather(lock("total"), lock("-total"), lock("note")))

    async def test_a_deadlock_ends_one_of_two(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1"), row("2")])
        met = asyncio.Barrier(2)

        async def lock(first: str, second: str) -> None:
            async with store.session() as session:
                await session.get(ORDERS, first, lock=True)
                await met.wait()
                await session.get(ORDERS, second, lock=True)

        ends = await soon(asyncio.gather(lock("1", "2"), lock("2", "1"), return_exceptions=True))
        assert sorted(type(end).__name__ for end in ends) == ["Contended", "NoneType"]

    async def test_a_cancelled_session_lets_go(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")])

        async def hold(held: asyncio.Event) -> None:
            async with store.session() as session:
                await session.get(ORDERS, "1", lock=True)
                session.put(ORDERS, row("1", total=1))
                held.set()
                await asyncio.Event().wait()

        for _ in range(12):  # more often than there are connections
            held = asyncio.Event()
            holder = asyncio.create_task(hold(held))
            await soon(held.wait())
            waiter = asyncio.create_task(hold(asyncio.Event()))
            await turns(store)
            waiter.cancel()
            holder.cancel()
            await asyncio.wait({waiter, holder})
        async with store.session() as session:
            assert (await soon(session.get(ORDERS, "1", lock=True)) or {})["total"] == 0


def everything(session: Session) -> None:
    """Write one of each."""
    session.insert(ORDERS, row("1"))
    session.publish(message(1))
    session.accept(mark())
    session.answer(RECEIPT)


async def assert_nothing(store: Store, *, accepted: bool = True) -> None:
    """Expect that nothing of `everything` is there; a message that is being accepted would be waited for."""
    assert await keys(store) == []
    assert await store.receipt("k") is None
    assert (await store.backlog()).count == 0
    if accepted:
        async with store.session() as session:
            session.accept(mark())
