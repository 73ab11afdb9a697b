"""The contract of a `VersionedSession`. Subclasses bring the fixture ``harness``."""

# ruff: noqa: PT012 - what fails is often the end of a session, and a session is a block

import asyncio
from collections.abc import Mapping

import pytest

from shoal.drivers.base import Session, Store
from shoal.drivers.base.documents.engine import Document
from shoal.drivers.base.documents.versions import VersionedSession
from shoal.errors import Conflict, EngineError
from tests.conformance.harness import ORDERS, StoreHarness, message, row, soon
from tests.conformance.store import fill, keys, ready


class VersionContract:
    """Changes that hold only for the version that was read."""

    async def test_reading_many(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1", total=1), row("2", total=2)])
        found = await look(store, "2", "9", "1", "2")
        assert {key: one.row["total"] for key, one in found.items()} == {"1": 1, "2": 2}
        assert all(one.version for one in found.values())

    async def test_each_write_makes_another_version(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        seen = set()
        for total in (1, 1, 2):
            await fill(store, [row("1", total=total)])
            seen.add((await look(store, "1"))["1"].version)
        assert len(seen) == 3
        assert (await look(store, "1"))["1"].version in seen, "reading made another version"

    async def test_a_change_of_what_was_read_counts(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1", total=1), row("2", total=2)])
        read = await look(store, "1", "2")
        async with store.session() as session:
            documents(session).put_at(ORDERS, row("1", total=5), read["1"].version)
            documents(session).delete_at(ORDERS, "2", read["2"].version)
            session.publish(message(1))
        assert {key: one.row["total"] for key, one in (await look(store, "1", "2")).items()} == {"1": 5}
        assert (await store.backlog()).count == 1

    @pytest.mark.parametrize("flushed", [False, True])
    @pytest.mark.parametrize("gone", [False, True])
    @pytest.mark.parametrize("deleting", [False, True])
    async def test_a_change_of_something_else_does_not(
        self, harness: StoreHarness, flushed: bool, gone: bool, deleting: bool
    ) -> None:
        store = await ready(harness)
        await fill(store, [row("1", total=1)])
        read = (await look(store, "1"))["1"]
        async with store.session() as session:
            session.delete(ORDERS, "1") if gone else session.put(ORDERS, row("1", total=2))
        with pytest.raises(Conflict):
            async with store.session() as session:
                session.put(ORDERS, row("other"))
                session.publish(message(1))
                if deleting:
                    documents(session).delete_at(ORDERS, "1", read.version)
                else:
                    documents(session).put_at(ORDERS, row("1", total=3), read.version)
                if flushed:
                    await session.flush()
        assert await keys(store) == ([] if gone else ["1"])
        assert (await store.backlog()).count == 0

    async def test_a_session_may_go_on_with_what_it_changed(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1", total=1)])
        async with store.session() as session:
            first = await one(session, "1")
            documents(session).put_at(ORDERS, row("1", total=2), first.version)
            second = await one(session, "1")
            assert second.row["total"] == 2
            documents(session).put_at(ORDERS, row("1", total=3), second.version or first.version)
        assert (await look(store, "1"))["1"].row["total"] == 3

    async def test_two_versions_of_one_row_contradict_each_other(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1", total=1)])
        old = (await look(store, "1"))["1"].version
        await fill(store, [row("1", total=2)])
        new = (await look(store, "1"))["1"].version
        with pytest.raises(Conflict):
            async with store.session() as session:
                documents(session).put_at(ORDERS, row("1", total=3), new)
                documents(session).put_at(ORDERS, row("1", total=4), old)
        assert (await look(store, "1"))["1"].row["total"] == 2

    async def test_a_failed_part_expects_nothing(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1", total=1)])
        async with store.session() as session:
            with pytest.raises(EngineError):
                async with session.savepoint():
                    documents(session).put_at(ORDERS, row("1", total=2), "no version")
                    await session.flush()
                    raise EngineError("the part fails, whenever the engine looks")
            session.put(ORDERS, row("2"))
        assert await keys(store) == ["1", "2"]

    async def test_eight_writers_lose_no_change(self, harness: StoreHarness) -> None:
        stores = [await ready(harness) for _ in range(8)]
        await fill(stores[0], [row("1", total=0)])

        async def add(store: Store) -> None:
            for _ in range(5):
                while True:
                    read = (await look(store, "1"))["1"]
                    try:
                        async with store.session() as session:
                            more = row("1", total=int(str(read.row["total"])) + 1)
                            documents(session).put_at(ORDERS, more, read.version)
                        break
                    except Conflict:
                        continue

        await soon(asyncio.gather(*map(add, stores)))
        assert (await look(stores[0], "1"))["1"].row["total"] == 40


def documents(session: Session) -> VersionedSession:
    """Say that a session knows versions."""
    assert isinstance(session, VersionedSession)
    return session


async def one(session: Session, key: str) -> Document:
    """Read one row."""
    (found,) = await documents(session).read(ORDERS, [key])
    return found


async def look(store: Store, *wanted: str) -> Mapping[object, Document]:
    """Read rows as committed."""
    async with store.session() as session:
        return {found.key: found for found in await documents(session).read(ORDERS, wanted)}
