"""What a store promises of twins of tables."""

# ruff: noqa: PT012 - what fails is the end of a session, and a session is a block

import asyncio

import pytest

from shoal.drivers.base import Store
from shoal.errors import Conflict
from tests.conformance.harness import ORDERS, StoreHarness, few, row, soon
from tests.conformance.store import Stop, fill, keys, ready


class TwinContract:
    """A twin is like its table, and takes its place with a commit."""

    async def test_a_twin_is_empty_and_leaves_its_table_alone(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")])
        twin = await store.twin(ORDERS)
        assert await keys(store, table=twin) == []
        async with store.session() as session:
            session.insert(twin, row("2"))
        assert await keys(store) == ["1"]
        assert await keys(store, table=twin) == ["2"]

    async def test_a_twin_keeps_the_constraints_of_its_table(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        twin = await store.twin(ORDERS)
        with pytest.raises(Conflict):
            async with store.session() as session:
                session.insert(twin, row("1", customer="ada"))
                session.insert(twin, row("2", customer="ada"))

    async def test_a_twin_replaces_an_earlier_one(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            session.put(await store.twin(ORDERS), row("1"))
        assert await keys(store, table=await store.twin(ORDERS)) == []

    async def test_a_twin_takes_the_place_of_its_table_with_the_commit(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1"), row("2")])
        await _swap(store, "2", "3")
        assert await keys(store) == ["2", "3"]
        await fill(store, [row("4")])
        assert await keys(store) == ["2", "3", "4"]

    async def test_it_takes_the_place_again_and_again(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        for number in range(3):
            await _swap(store, str(number))
            assert await keys(store) == [str(number)]

    async def test_nothing_changes_without_a_commit(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")])
        with pytest.raises(Stop):
            await _swap(store, "2", fails=True)
        assert await keys(store) == ["1"]

    async def test_a_twin_can_be_removed_whether_it_is_there_or_not(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")])
        await store.untwin(ORDERS)
        await store.twin(ORDERS)
        await store.untwin(ORDERS)
        assert await keys(store) == ["1"]

    async def test_readers_see_the_one_or_the_other_and_writers_lose_nothing(self, harness: StoreHarness) -> None:
        store, done = await ready(harness), asyncio.Event()
        await fill(store, [row(str(number)) for number in range(10)])
        seen: set[int] = set()

        async def look() -> None:
            while not done.is_set():
                seen.add(len(await keys(store)))

        looking = [asyncio.create_task(look()) for _ in range(3)]
        sizes = [10 + few(harness, most) // 10 for most in (100, 200, 300)]
        for size in sizes:
            await _swap(store, *(str(number) for number in range(size)))
        done.set()
        await soon(asyncio.gather(*looking))
        assert seen <= {10, *sizes}


async def _swap(store: Store, *names: str, fails: bool = False) -> None:
    twin = await store.twin(ORDERS)
    async with store.session() as session:
        for name in names[:-1]:
            session.put(twin, row(name))
    async with store.session() as session:
        session.put(twin, row(names[-1]))
        await session.replace(ORDERS, twin)
        if fails:
            raise Stop
