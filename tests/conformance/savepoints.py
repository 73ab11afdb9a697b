"""Parts of a transaction that can fail alone."""

# ruff: noqa: PT012 - what fails is often the end of a part, and a part is a block

import asyncio

import pytest

from shoal.drivers.base import Query, Session, Store
from shoal.errors import Conflict, Duplicate, EngineError
from tests.conformance.harness import ORDERS, PRICES, StoreHarness, mark, message, row, soon, turns
from tests.conformance.store import RECEIPT, Stop, fill, keys, ready

STATEMENTS = ("none", "flush", "read", "lock")
"""What a part does besides holding writes back."""


class SavepointContract:
    """Earlier and later parts commit, the failed one did nothing."""

    @pytest.mark.parametrize("before", STATEMENTS)
    @pytest.mark.parametrize("within", STATEMENTS)
    async def test_a_part_that_fails_is_undone(self, harness: StoreHarness, before: str, within: str) -> None:
        store = await ready(harness)
        await fill(store, [row("0")])
        async with store.session() as session:
            await _do(session, "1", before)
            with pytest.raises(Stop):
                async with session.savepoint():
                    await _do(session, "2", within)
                    raise Stop
            async with session.savepoint():
                await _do(session, "3", within)
            await _do(session, "4", before)
        assert await keys(store) == ["0", "1", "3", "4"]
        assert await _published(store) == ["m1", "m3", "m4"]
        assert await store.handled([mark(n) for n in range(9)]) == {mark(1), mark(3), mark(4)}

    async def test_an_error_of_the_engine_in_a_part_leaves_the_rest_usable(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("taken")])
        async with store.session() as session:
            session.insert(ORDERS, row("1"))
            with pytest.raises(Conflict):
                async with session.savepoint():
                    session.insert(ORDERS, row("2"))
                    session.insert(ORDERS, row("taken", customer="x"))
                    await session.flush()
            with pytest.raises(EngineError, match="no column 'x'"):
                async with session.savepoint():
                    session.insert(ORDERS, row("3"))
                    await session.find(ORDERS, Query(where={"x": 1}))
            with pytest.raises(EngineError):
                async with session.savepoint():
                    session.insert(ORDERS, row("4"))
                    await session.fetch("select nothing from nowhere")
            session.insert(ORDERS, row("5"))
            assert [found["id"] for found in await session.find(ORDERS, Query())] == ["1", "5", "taken"]
        assert await keys(store) == ["1", "5", "taken"]

    async def test_a_swallowed_error_ends_its_part_only(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("taken")])
        async with store.session() as session:
            with pytest.raises(EngineError, match="rolled back"):
                async with session.savepoint():
                    session.insert(ORDERS, row("1"))
                    session.insert(ORDERS, row("taken", customer="x"))
                    with pytest.raises(Conflict):
                        await session.flush()
            session.insert(ORDERS, row("2"))
        assert await keys(store) == ["2", "taken"]

    async def test_a_write_from_before_a_part_fails_the_whole(self, harness: StoreHarness) -> None:
        """It surfaces within the part, but belongs to what cannot fail alone."""
        store = await ready(harness)
        await fill(store, [row("taken")])
        with pytest.raises(EngineError, match="rolled back"):
            async with store.session() as session:
                session.insert(PRICES, {"sku": "s", "amount": 1})
                session.insert(ORDERS, row("taken", customer="x"))
                with pytest.raises(Conflict):
                    async with session.savepoint():
                        await session.get(ORDERS, "taken", lock=True)
        assert await keys(store, table=PRICES) == []

    async def test_a_repetition_among_others_is_found_in_its_part(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            session.accept(mark(2))
        async with store.session() as session:
            for number in (1, 2, 3):
                try:
                    async with session.savepoint():
                        session.accept(mark(number))
                        session.publish(message(number))
                        await session.flush()
                except Duplicate:
                    assert number == 2
        assert await _published(store) == ["m1", "m3"]

    async def test_conflicts_of_writes_held_back_surface_later(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("taken")])
        with pytest.raises(Conflict):
            async with store.session() as session:
                async with session.savepoint():
                    session.insert(ORDERS, row("taken", customer="x"))
                async with session.savepoint():
                    session.insert(ORDERS, row("1"))
        assert await keys(store) == ["taken"]

    async def test_parts_within_parts(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            async with session.savepoint():
                session.insert(ORDERS, row("1"))
                with pytest.raises(Stop):
                    async with session.savepoint():
                        session.insert(ORDERS, row("2"))
                        await session.flush()
                        raise Stop
                session.insert(ORDERS, row("3"))
            with pytest.raises(Stop):
                async with session.savepoint():
                    session.insert(ORDERS, row("4"))
                    async with session.savepoint():
                        session.insert(ORDERS, row("5"))
                        await session.flush()
                    raise Stop
            assert [found["id"] for found in await session.find(ORDERS, Query())] == ["1", "3"]
        assert await keys(store) == ["1", "3"]

    async def test_reads_see_what_earlier_parts_held_back(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            session.put(ORDERS, row("1", total=1))
            async with session.savepoint():
                assert (await session.get(ORDERS, "1") or {})["total"] == 1
                session.put(ORDERS, row("1", total=2))
            with pytest.raises(Stop):
                async with session.savepoint():
                    session.put(ORDERS, row("1", total=3))
                    assert (await session.get(ORDERS, "1") or {})["total"] == 3
                    raise Stop
            assert (await session.get(ORDERS, "1") or {})["total"] == 2
            session.answer(RECEIPT)
        assert await store.receipt("k") == RECEIPT

    async def test_a_failed_part_lets_go_of_its_rows(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1"), row("2")])

        async def lock(key: str) -> None:
            async with store.session() as other:
                await other.get(ORDERS, key, lock=True)

        async with store.session() as session:
            await session.get(ORDERS, "1", lock=True)
            with pytest.raises(Stop):
                async with session.savepoint():
                    await session.get(ORDERS, "1", lock=True)
                    await session.get(ORDERS, "2", lock=True)
                    raise Stop
            await soon(lock("2"))
            waiting = asyncio.create_task(lock("1"))
            await turns(store)
            assert not waiting.done()
        await soon(waiting)

    async def test_a_cancelled_part_can_be_left(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")])
        async with store.session() as holder:
            await holder.get(ORDERS, "1", lock=True)

            async def wait() -> None:
                async with store.session() as session:
                    session.insert(ORDERS, row("2"))
                    async with session.savepoint():
                        await session.get(ORDERS, "1", lock=True)

            waiter = asyncio.create_task(wait())
            await turns(store)
            waiter.cancel()
            await asyncio.wait({waiter})
            assert waiter.cancelled()
        assert await keys(store) == ["1"]


async def _do(session: Session, key: str, statement: str) -> None:
    session.insert(ORDERS, row(key))
    session.publish(message(key))
    session.accept(mark(key))
    if statement == "flush":
        await session.flush()
    elif statement != "none":
        await session.get(ORDERS, "0", lock=statement == "lock")


async def _published(store: Store) -> list[str]:
    async with store.outbox() as lease:
        return [pending.message.id for pending in await lease.pending(100)]
