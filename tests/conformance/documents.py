"""What every store of documents does beyond the contract of stores. Subclasses bring the fixture ``harness``."""

# ruff: noqa: PT012 - what fails is often the end of a session; engines are looked at below their store

from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

import pytest

from shoal.drivers.base import Mark, Query, Row, Sent, Store, Table, matching
from shoal.drivers.base.documents import tables
from shoal.drivers.base.documents.engine import Engine, Refused, Write
from shoal.drivers.base.documents.store import DocumentStore
from shoal.errors import Contended, Duplicate, Unavailable, Unstorable
from tests.conformance.harness import ORDERS, PRICES, StoreHarness, mark, row
from tests.conformance.ledger import published
from tests.conformance.store import fill, keys, ready

THINGS = Table(
    name="things", key="id", columns=("id", "text", "count", "share", "done", "raw", "at", "data"),
    json=frozenset({"data"}),
)  # fmt: skip


class DocumentHarness(StoreHarness, Protocol):
    """A harness that reaches below the store."""

    async def rob(self, name: str) -> None:
        """Give a lock to somebody else, as happens to who is frozen for too long."""
        ...


def below(store: Store) -> Engine:
    """Return the engine of a store."""
    assert isinstance(store, DocumentStore)
    return store._engine


async def vanish(store: Store) -> None:
    """End without a word."""
    assert isinstance(store, DocumentStore)
    store._leases.close()
    store._keeper.close()
    await store._engine.close()


async def age(store: Store, days: float) -> None:
    """Move what is dated; the date of a mark is a part of its name."""
    engine, earlier = below(store), timedelta(days=-days)
    for table in (tables.OUTBOX, tables.INBOX, tables.RECEIPTS):
        found = await engine.search(table, Query())
        rows: list[dict[str, object]] = [{**one.row, "at": cast("datetime", one.row["at"]) + earlier} for one in found]
        if table is tables.INBOX:
            for dated in rows:
                consumer, message, _ = str(dated["mark"]).split("\n")
                at = cast("datetime", dated["at"])
                dated["mark"] = tables.place(Mark(consumer=consumer, message_id=message, at=at))
        gone = [Write(table=table, key=one.key, row=None) for one in found]
        if found:
            await engine.commit([*gone, *(Write(table=table, key=one[table.key], row=one) for one in rows)])


class DocumentContract:
    """Locks that are documents, and values as documents hold them."""

    async def test_what_no_document_holds_is_said(self, harness: DocumentHarness) -> None:
        store = await harness.store()
        await store.migrate([])
        for value in (1 << 63, object(), "\ud800"):
            with pytest.raises(Unstorable):
                async with store.session() as session:
                    session.put(PRICES, {"sku": "s", "amount": value})

    async def test_who_lost_a_lock_commits_nothing(self, harness: DocumentHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")])
        with pytest.raises(Contended, match="lost"):
            async with store.session() as session:
                assert await session.get(ORDERS, "1", lock=True)
                session.put(PRICES, {"sku": "s", "amount": 1})
                await harness.rob("row orders '1'")
        assert await keys(store, table=PRICES) == []

    async def test_a_row_that_changed_under_its_lock_is_not_overwritten(self, harness: DocumentHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1")])
        with pytest.raises(Contended, match="changed"):
            async with store.session() as session:
                await session.get(ORDERS, "1", lock=True)
                await below(store).commit([Write(table=ORDERS, key="1", row=row("1", total=7))])
                session.put(ORDERS, row("1", total=1))
        async with store.session() as session:
            assert (await session.get(ORDERS, "1") or {})["total"] == 7

    async def test_a_repetition_is_known_to_who_did_not_make_the_tables(self, harness: DocumentHarness) -> None:
        first, second = await ready(harness), await harness.store()
        async with first.session() as session:
            session.accept(mark())
        with pytest.raises(Duplicate):
            async with second.session() as session:
                session.accept(mark())

    async def test_who_lost_the_outbox_marks_nothing(self, harness: DocumentHarness) -> None:
        store = await published(harness, 2)
        async with store.outbox() as lease:
            rows = await lease.pending(2)
            await harness.rob("lease outbox")
            with pytest.raises(Contended, match="lost"):
                await lease.sent([Sent(position=rows[0].position, sequence=1)])
        assert (await store.backlog()).count == 2

    async def test_who_dies_while_meeting_another_stream_is_followed_by_one_who_forgets(
        self, harness: DocumentHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = await published(harness, 2)
        async with store.outbox() as lease:
            await lease.meet("first")
            await lease.sent([Sent(position=row.position, sequence=9) for row in await lease.pending(2)])
            with monkeypatch.context() as patched, pytest.raises(Unavailable):
                patched.setattr(lease, "forget", away)
                await lease.meet("second")
            assert await lease.meet("second") == 2

    async def test_values_come_back_and_are_found_and_sorted_as_in_memory(self, harness: DocumentHarness) -> None:
        store = await ready(harness)
        rows = things()
        async with store.session() as session:
            for one in rows:
                session.put(THINGS, one)
        for query in questions():
            async with store.session() as session:
                found = await session.find(THINGS, query)
                assert await session.count(THINGS, query.where) == len(
                    [one for one in rows if matching.matches(one, Query(where=query.where))]
                )
            wanted = matching.arrange(THINGS, query, [one for one in rows if matching.matches(one, query)])
            assert [one["id"] for one in found] == [one["id"] for one in wanted], query
            assert [same(one) for one in found] == [same(one) for one in wanted], query

    async def test_each_contradiction_is_named_and_nothing_is_done(self, harness: DocumentHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1", customer="a"), row("2", customer="b")])
        await store.verify([PRICES])
        engine, price = below(store), Write(table=PRICES, key="s", row={"sku": "s", "amount": 1})
        for write, held in (
            (Write(table=ORDERS, key="1", row=row("1", customer="c"), how="insert"), "key"),
            (Write(table=ORDERS, key="1", row=row("1", customer="b")), "unique"),
            (Write(table=ORDERS, key="1", row=row("1"), version="7"), "version"),
            (Write(table=ORDERS, key="1", row=None, version="7"), "version"),
            (Write(table=ORDERS, key="none", row=row("none"), version="7"), "version"),
            (Write(table=ORDERS, key="1", row={"note": "n"}, how="change", version="7"), "version"),
        ):
            with pytest.raises(Refused) as caught:
                await engine.commit([price, write])
            assert (caught.value.table, caught.value.held) == ("orders", held)
            assert caught.value.column == ("customer" if held == "unique" else "")
        assert await keys(store, table=PRICES) == []
        assert [one.row["customer"] for one in await engine.read(ORDERS, ["1"])] == ["a"]

    async def test_versions_of_many_documents_are_looked_at_together(self, harness: DocumentHarness) -> None:
        store = await ready(harness)
        await fill(store, [row("1"), row("2"), row("3")])
        engine = below(store)
        seen = await engine.read(ORDERS, ["1", "2", "3"])
        writes = [
            Write(table=ORDERS, key=one.key, row={**one.row, "total": 5}, version=one.version) for one in seen[:2]
        ]
        await engine.commit([*writes, Write(table=ORDERS, key=seen[2].key, row=None, version=seen[2].version)])
        with pytest.raises(Refused):
            await engine.commit(writes)
        fresh = await engine.search(ORDERS, Query())
        assert [one.row["total"] for one in fresh] == [5, 5]
        changes = [Write(table=ORDERS, key=one.key, row={"note": "n", "total": None}, how="change", version=one.version)
                   for one in fresh]  # fmt: skip
        await engine.commit(changes)
        assert [(one.row["note"], one.row["total"]) for one in await engine.search(ORDERS, Query())] == [
            ("n", None)
        ] * 2
        both = await engine.search(ORDERS, Query())
        await engine.commit([Write(table=ORDERS, key=one.key, row=None, version=one.version) for one in both])
        assert await keys(store) == []


async def away(above: int) -> int:
    """Fail."""
    raise Unavailable(f"gone before {above}")


def things() -> list[Row]:
    """Make rows that differ in what engines sort and compare differently."""
    texts = ["a", "B", "Ä", "ä", "", "a b", "#", "#s", "\U0001f41f", "\uffff", "z'\"\\", None]
    counts = [0, -1, 1, (1 << 53) + 1, 1 << 53, -(1 << 63), (1 << 63) - 1, 7, 8, 9, 10, None]
    shares = [0.5, -0.5, 1e300, 5e-324, 1.0, 1e16, 123456789.123, 2.0**70, 0.1, 3, 2, None]
    ends = [True, False, None]
    raws = [b"", b"\x00", b"\xff", b"a", b"ab", None]
    begin = datetime(2030, 1, 1, tzinfo=UTC)
    moments = [begin, begin + timedelta(microseconds=1), begin - timedelta(days=400_000), None]
    data = ['{"a": [1, null]}', "[]", "null", "1.50", None]
    return [
        {
            "id": f"{'#' if number % 3 else ''}{text}{number}", "text": text, "count": counts[number],
            "share": shares[number], "done": ends[number % 3], "raw": raws[number % 6],
            "at": moments[number % 4], "data": data[number % 5],
        }
        for number, text in enumerate(texts)
    ]  # fmt: skip


def questions() -> list[Query]:
    """Ask for all of it in many ways."""
    rows = things()
    columns = ("id", "text", "count", "share", "done", "raw", "at")
    asked = [Query(order=(f"{way}{column}",)) for column in columns for way in ("", "-")]
    asked += [Query(order=("done", "-at"), limit=4, offset=3), Query(limit=0), Query(offset=9)]
    for column in columns:
        known = [one[column] for one in rows[1:6]]
        asked += [Query(where={column: value}) for value in known]
        asked += [Query(where={column: tuple(known)}), Query(where={column: ()}), Query(where={column: [None]})]
        asked += [Query(above={column: value}) for value in known] + [Query(at_most={column: value}) for value in known]
        asked += [Query(below={column: value}) for value in known]
    return asked


def same(found: Row) -> Row:
    """Make equal what JSON calls equal."""
    import json  # noqa: PLC0415

    return {**found, "data": None if found["data"] in (None, "null") else json.loads(str(found["data"]))}
