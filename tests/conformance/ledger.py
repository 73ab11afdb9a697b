"""The outbox as a ledger: what the broker acknowledged, refused or lost, and how long it is kept."""

import asyncio
from datetime import timedelta

import pytest

from shoal.drivers.base import OutboxLease, OwnTable, Query, Receipt, Sent, Store
from shoal.errors import Duplicate
from tests.conformance.harness import ORDERS, StoreHarness, mark, message, row, soon
from tests.conformance.store import RECEIPT, fill, keys, ready

WEEK = timedelta(days=7)


class LedgerContract:
    """Rows and their places in the broker's stream."""

    async def test_places_are_remembered(self, harness: StoreHarness) -> None:
        store = await published(harness, 4)
        async with store.outbox() as lease:
            assert await lease.highest() == 0
            rows = await lease.pending(3)
            assert [pending.message.key for pending in rows] == ["key 0", "key 1", "key 2"]
            await lease.sent(
                [Sent(position=row.position, sequence=place) for row, place in zip(rows, (7, 9, 8), strict=True)]
            )
            assert await lease.highest() == 9
            await lease.sent([Sent(position=rows[0].position, sequence=70)])  # it has its place already
        found = await store.announced(0, 10)
        assert [(one.id, one.key, one.sequence) for one in found] == [
            ("m0", "key 0", 7),
            ("m1", "key 1", 9),
            ("m2", "key 2", 8),
            ("m3", "key 3", None),
        ]
        assert [one.id for one in await store.announced(found[1].position, 1)] == ["m2"]
        assert list(await store.announced(found[3].position, 10)) == []

    async def test_a_place_that_is_not_known_is_a_place(self, harness: StoreHarness) -> None:
        store = await published(harness, 1)
        async with store.outbox() as lease:
            await lease.sent([Sent(position=(await lease.pending(1))[0].position, sequence=0)])
            assert list(await lease.pending(1)) == []
            assert await lease.highest() == 0

    async def test_what_the_broker_lost_waits_again_in_order(self, harness: StoreHarness) -> None:
        store = await published(harness, 5)
        async with store.outbox() as lease:
            await acknowledge(lease, 4)
            assert await lease.forget(2) == 2
            assert [pending.message.id for pending in await lease.pending(9)] == ["m2", "m3", "m4"]
            assert await lease.highest() == 2
            assert await lease.forget(2) == 0
        assert (await store.backlog()).count == 3

    async def test_what_another_stream_acknowledged_waits_again(self, harness: StoreHarness) -> None:
        store = await published(harness, 3)
        async with store.outbox() as lease:
            await acknowledge(lease, 2)
            assert await lease.meet("first") == 0
            assert await lease.meet("first") == 0
            assert await lease.highest() == 2
            assert await lease.meet("second") == 2
            assert await lease.highest() == 0
            assert [pending.message.id for pending in await lease.pending(9)] == ["m0", "m1", "m2"]
            assert await lease.meet("second") == 0

    async def test_a_refused_row_holds_nobody_up_and_can_be_tried_again(self, harness: StoreHarness) -> None:
        store = await published(harness, 3)
        async with store.outbox() as lease:
            first = (await lease.pending(1))[0]
            await lease.refuse(first.position, "too large")
            assert [pending.message.id for pending in await lease.pending(9)] == ["m1", "m2"]
            backlog = await store.backlog()
            assert (backlog.count, backlog.refused) == (2, 1)
            assert [one.refused for one in await store.announced(0, 9)] == ["too large", "", ""]
            await acknowledge(lease, 2)
            assert await lease.reprieve() == 1
            assert await lease.reprieve() == 0
            assert [pending.message.id for pending in await lease.pending(9)] == ["m0"]
        assert (await store.backlog()).refused == 0

    async def test_what_follows_a_refused_row_of_its_key_waits_for_it(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            for number, key in enumerate(("a", "a", "b", "", "")):
                session.publish(message(number, key=key))
        async with store.outbox() as lease:
            rows = await lease.pending(9)
            await lease.refuse(rows[0].position, "too large")
            await lease.refuse(rows[3].position, "too large")
            assert [pending.message.id for pending in await lease.pending(9)] == ["m2", "m4"]
            assert (await store.backlog()).count == 2
            await lease.reprieve()
            assert [pending.message.id for pending in await lease.pending(9)] == ["m0", "m1", "m2", "m3", "m4"]

    async def test_others_who_wait_are_seen(self, harness: StoreHarness) -> None:
        first, second = await ready(harness), await harness.store()
        async with first.outbox() as lease:
            assert not await lease.rivals()
            waiting = asyncio.create_task(_empty(second))
            await _until(lease, rivals=True)
            waiting.cancel()
            await asyncio.wait({waiting})
            await _until(lease, rivals=False)

    async def test_the_age_is_that_of_what_waits_longest(self, harness: StoreHarness) -> None:
        store = await published(harness, 1)
        await harness.age(1)
        async with store.session() as session:
            session.publish(message("new"))
        assert 86_000 < (await store.backlog()).age < 87_000
        async with store.outbox() as lease:
            await acknowledge(lease, 1)
        assert (await store.backlog()).age < 1_000


class AgeContract:
    """What is old and done is let go of."""

    async def test_old_rows_go_and_unsent_ones_stay(self, harness: StoreHarness) -> None:
        store = await published(harness, 5)
        async with store.outbox() as lease:
            await acknowledge(lease, 2)
            await lease.refuse((await lease.pending(1))[0].position, "too large")
        for days, expected in ((6.5, 5), (2.5, 3)):
            await harness.age(days)
            await tidy(store)
            assert len(await store.announced(0, 10)) == expected
        assert [(one.id, one.refused) for one in await store.announced(0, 10)] == [
            ("m2", "too large"),
            ("m3", ""),
            ("m4", ""),
        ]
        async with store.outbox() as lease:
            assert [pending.message.id for pending in await lease.pending(9)] == ["m3", "m4"]
            assert await lease.highest() == 2
            await acknowledge(lease, 2)
            await lease.reprieve()
            await acknowledge(lease, 1)
        await tidy(store)
        assert list(await store.announced(0, 10)) == []

    async def test_old_marks_go_by_the_time_their_message_was_made(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        async with store.session() as session:
            session.accept(mark("new"))
            session.accept(mark("old", days=6.5))
            session.accept(mark("future", days=-3))
        await tidy(store)
        marks = [mark("new"), mark("old", days=6.5), mark("future", days=-3)]
        assert await store.handled(marks) == frozenset(marks)
        await harness.age(2.5)
        async with store.session() as session:
            session.accept(mark("next"))
        await tidy(store)
        with pytest.raises(Duplicate):
            async with store.session() as session:
                session.accept(mark("new", days=2.5))
        await harness.age(6.5)
        await tidy(store)
        kept = {mark("next", days=6.5), mark("future", days=6)}
        assert await store.handled([mark("new", days=9), mark("old", days=15.5), *kept]) == kept

    async def test_old_answers_go_but_those_that_last(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        lasting = Receipt(key="seed", fingerprint="", status=200, headers=(), body=b"", lasting=True)
        async with store.session() as session:
            session.answer(RECEIPT)
            session.answer(lasting)
        for days in (6.5, 2.5):
            assert await store.receipt("k") == RECEIPT
            await harness.age(days)
            await tidy(store)
        assert await store.receipt("k") is None
        assert await store.receipt("seed") == lasting

    async def test_writing_goes_on_through_many_days(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        for day in range(12):
            async with store.session() as session:
                session.publish(message(day))
                session.accept(mark(day))
            async with store.outbox() as lease:
                await acknowledge(lease, 1)
            await harness.age(1)
            await tidy(store)
        assert 6 <= len(await store.announced(0, 100)) <= 10
        assert not await store.handled([mark(0, days=12)])
        assert await store.handled([mark(11, days=1)])


class OwnTableContract:
    """Tables of the framework's own, and queries by range."""

    async def test_own_tables_are_made_and_extended(self, harness: StoreHarness) -> None:
        store = await harness.store()
        first = OwnTable(name="things", key="id", columns=(("id", "text"), ("due", "time")), indexes=(("due",),))
        await store.migrate([], [first])
        await store.migrate([], [first])
        async with store.session() as session:
            session.insert(first.table, {"id": "a", "due": mark().at})
        more = OwnTable(
            name="things", key="id", indexes=(("due",), ("count", "due")),
            columns=(("id", "text"), ("due", "time"), ("count", "integer"), ("state", "json"), ("raw", "bytes"),
                     ("share", "number"), ("done", "boolean")),
        )  # fmt: skip
        other = OwnTable(name="more_things", key="id", columns=(("id", "integer"),))
        await store.migrate([], [more, other])
        assert list(await store.verify([more.table, other.table])) == []
        rest = {"count": 1 << 40, "state": '{"a": [1]}', "raw": b"\x00", "share": 0.5, "done": True}
        async with store.session() as session:
            session.put(more.table, {"id": "b", "due": mark(days=1).at, **rest})
            session.insert(other.table, {"id": 1})
        async with store.session() as session:
            found = await session.find(more.table, Query())
        assert [(one["id"], one["due"]) for one in found] == [("a", mark().at), ("b", mark(days=1).at)]
        assert {column: found[1][column] for column in rest} == rest
        assert found[0]["count"] is None

    @pytest.mark.parametrize("lock", [False, True])
    async def test_ranges(self, harness: StoreHarness, lock: bool) -> None:
        store = await ready(harness)
        await fill(store, [row("1", total=1), row("2", total=2, note="x"), row("3", total=3), row("4", total=None)])
        for query, expected in (
            (Query(above={"total": 1}), "23"),
            (Query(at_most={"total": 2}), "12"),
            (Query(above={"total": 1}, at_most={"total": 2}), "2"),
            (Query(above={"total": 0}, where={"note": None}, order=("-total",), limit=1), "3"),
            (Query(above={"id": "2"}, limit=5, offset=1), "4"),
            (Query(at_most={"total": None}), ""),
        ):
            locked = Query(
                where=query.where, above=query.above, at_most=query.at_most, order=query.order, limit=query.limit,
                offset=query.offset, lock=lock,
            )  # fmt: skip
            assert "".join(map(str, await keys(store, locked))) == expected, query

    async def test_what_others_hold_is_left_out(self, harness: StoreHarness) -> None:
        store = await ready(harness)
        await fill(store, [row(f"{number}", total=number) for number in range(5)])
        async with store.session() as first:
            held = await first.find(ORDERS, Query(order=("-total",), limit=2, lock=True, skip_locked=True))
            assert [one["id"] for one in held] == ["4", "3"]
            async with store.session() as second:
                rest = Query(order=("-total",), limit=2, lock=True, skip_locked=True)
                assert [one["id"] for one in await soon(second.find(ORDERS, rest))] == ["2", "1"]

    async def test_a_claimed_key_is_waited_for_and_its_answer_seen(self, harness: StoreHarness) -> None:
        stores = [await ready(harness), await harness.store()]
        effects: list[int] = []

        async def command(number: int) -> Receipt | None:
            async with stores[number % 2].session() as session:
                known = await session.claim("k")
                if known is None:
                    effects.append(number)
                    session.answer(RECEIPT)
                return known

        answers = await soon(asyncio.gather(*map(command, range(6))))
        assert len(effects) == 1
        assert sorted(answers, key=bool) == [None, *[RECEIPT] * 5]


async def _empty(store: Store) -> None:
    async with store.outbox():
        pass


async def _until(lease: OutboxLease, *, rivals: bool) -> None:
    async with asyncio.timeout(20):
        while True:
            if await lease.rivals() == rivals:
                return
            await asyncio.sleep(0.005)


async def published(harness: StoreHarness, number: int) -> Store:
    """Open a store with so many rows in its outbox."""
    store = await ready(harness)
    for one in range(number):
        async with store.session() as session:
            session.publish(message(one, key=f"key {one}"))
    return store


async def acknowledge(lease: OutboxLease, number: int) -> None:
    """Give the oldest rows the next places."""
    highest = await lease.highest()
    rows = await lease.pending(number)
    await lease.sent([Sent(position=row.position, sequence=highest + n) for n, row in enumerate(rows, 1)])


async def tidy(store: Store) -> None:
    """Let go of what is older than a week."""
    async with store.outbox() as lease:
        await soon(lease.tidy(WEEK))
