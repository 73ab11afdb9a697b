"""What a store promises of twins of tables."""

# ruff: noqa: PT012 - what fails is the end of a session, and a session is a block

import asyncio
import contextlib

import msgspec
import pytest

from shoal.drivers.base import Store
from shoal.errors import Conflict, EngineError
from tests.conformance.harness import ORDERS, StoreHarness, row, soon
from tests.conformance.store import Stop, fill, keys, ready

MODEL = msgspec.structs.replace(ORDERS, moves=True)
FEW = 45
"""Rows, with a unique value each, that every engine takes in one commit."""


class TwinContract:
    """A twin is like its table, and takes its place with a commit."""

    async def test_a_twin_is_empty_and_leaves_its_table_alone(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")], MODEL)
        twin = await store.twin(MODEL)
        assert await keys(store, table=twin) == []
        async with store.session() as session:
            session.insert(twin, row("2"))
        assert await keys(store, table=MODEL) == ["1"]
        assert await keys(store, table=twin) == ["2"]

    async def test_a_twin_keeps_the_constraints_of_its_table(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        twin = await store.twin(MODEL)
        with pytest.raises(Conflict):
            async with store.session() as session:
                session.insert(twin, row("1", customer="ada"))
                session.insert(twin, row("2", customer="ada"))

    async def test_a_twin_replaces_an_earlier_one(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            session.put(await store.twin(MODEL), row("1"))
        assert await keys(store, table=await store.twin(MODEL)) == []

    async def test_a_twin_takes_the_place_of_its_table_with_the_commit(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1"), row("2")], MODEL)
        await _swap(store, "2", "3")
        assert await keys(store, table=MODEL) == ["2", "3"]
        await fill(store, [row("4")], MODEL)
        assert await keys(store, table=MODEL) == ["2", "3", "4"]

    async def test_it_takes_the_place_again_and_again(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        for number in range(3):
            await _swap(store, str(number))
            assert await keys(store, table=MODEL) == [str(number)]

    async def test_nothing_changes_without_a_commit(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")], MODEL)
        with pytest.raises(Stop):
            await _swap(store, "2", fails=True)
        assert await keys(store, table=MODEL) == ["1"]

    async def test_a_twin_can_be_removed_whether_it_is_there_or_not(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")], MODEL)
        await store.untwin(MODEL)
        await store.twin(MODEL)
        await store.untwin(MODEL)
        assert await keys(store, table=MODEL) == ["1"]

    async def test_readers_see_the_one_or_the_other_and_writers_lose_nothing(self, harness: StoreHarness) -> None:
        store, done = await ready(harness), asyncio.Event()
        await fill(store, [row(str(number)) for number in range(10)], MODEL)
        seen: set[int] = set()

        async def look() -> None:
            while not done.is_set():
                seen.add(len(await keys(store, table=MODEL)))

        looking = [asyncio.create_task(look()) for _ in range(3)]
        sizes = (110, 210, 310)  # more than the engine takes in one commit that takes the fewest
        for size in sizes:
            await _swap(store, *(str(number) for number in range(size)))
        done.set()
        await soon(asyncio.gather(*looking))
        assert seen <= {10, *sizes}

    async def test_what_is_written_by_who_knew_the_old_one_is_in_the_new_one(self, harness: StoreHarness) -> None:
        store, other = await ready(harness), await harness.store()
        await fill(other, [row("1")], MODEL)
        assert await keys(other, table=MODEL) == ["1"]
        async with other.session() as session:
            session.put(MODEL, row("3"))
            await _swap(store, "2")
        async with other.session() as session:
            session.delete(MODEL, "2")
        assert await keys(store, table=MODEL) == await keys(other, table=MODEL) == ["3"]

    async def test_nothing_comes_of_a_twin_that_another_process_has_done_away_with(self, harness: StoreHarness) -> None:
        store, other = await ready(harness), await harness.store()
        late = await other.twin(MODEL)
        await _swap(store, "1")
        with contextlib.suppress(EngineError):  # it may be no more
            await fill(other, [row("2")], late)
        assert await keys(store, table=MODEL) == await keys(other, table=MODEL) == ["1"]


async def _swap(store: Store, *names: str, fails: bool = False) -> None:
    twin = await store.twin(MODEL)
    for first in range(0, len(names) - 1, FEW):
        await fill(store, [row(name) for name in names[first : min(first + FEW, len(names) - 1)]], twin)
    async with store.session() as session:
        session.put(twin, row(names[-1]))
        await session.replace(MODEL, twin)
        if fails:
            raise Stop
    await store.untwin(MODEL)
