"""A read model that is built anew equals the live one, byte for byte, while events keep coming."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import count
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from shoal.drivers.base import Migration, Session, Store
from shoal.drivers.memory import MemoryStore
from shoal.errors import Conflict, ShoalError, Unavailable
from shoal.runtime.projections import fold, journal, rebuild, twins
from shoal.runtime.projections.fold import Fold
from shoal.runtime.projections.standing import is_quiet, standings
from shoal.runtime.projections.tables import PARKED, PROJECTION_TABLES, Count, Entry
from shoal.runtime.projections.verify import Comparison, compare, verify
from shoal.runtime.tables import table_of
from tests.runtime.bank import (
    FOLD,
    SQL,
    Balance,
    Book,
    Moved,
    bank,
    dump,
    entries,
    move,
    require_fold,
    treacherous,
    working,
)
from tests.runtime.database import Database, database

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


@pytest_asyncio.fixture(params=["memory", "postgres"], loop_scope="module")
async def stores(request: pytest.FixtureRequest, server: Database) -> Sequence[Store]:
    """Two replicas' ways to one store."""
    treacherous.clear()
    if request.param == "memory":
        store: Store = MemoryStore()
        return (store, store)
    url = await server.empty()
    made = (server.store(url, pool=8), server.store(url, pool=8))
    for each in made:
        await each.open()
    await made[0].migrate([Migration(number=1, name="1", sql=SQL, checksum="1")], PROJECTION_TABLES)
    return made


@pytest_asyncio.fixture(params=["memory", "postgres", "documents"], loop_scope="module")
async def anywhere(request: pytest.FixtureRequest, server: Database) -> Store:
    """One replica's way to a store of each sort."""
    treacherous.clear()
    if request.param == "memory":
        return MemoryStore()
    url = await server.empty()
    made = server.store(url if request.param == "postgres" else url.replace("postgres:", "documents:", 1))
    await made.open()
    migrations = [Migration(number=1, name="1", sql=SQL, checksum="1")] if request.param == "postgres" else []
    await made.migrate(migrations, PROJECTION_TABLES)
    return made


async def test_it_equals_its_events_while_they_keep_coming(stores: Sequence[Store]) -> None:
    comparisons: list[Comparison] = []
    rebuilds: list[rebuild.Rebuilt] = []
    async with working(stores, 250) as writers:
        while len(rebuilds) < 2 or not all(writer.done() for writer in writers):
            comparisons.append(await compare(stores[0], FOLD))
            rebuilds.append(await rebuild.rebuild(stores[1], FOLD))
            await asyncio.sleep(0.001)  # a store in memory makes nobody wait
    assert comparisons[-1].position > comparisons[0].position
    assert [c for c in comparisons if not c.same] == []
    assert [r.generation for r in rebuilds] == list(range(2, len(rebuilds) + 2))
    await require_fold(stores[0])
    (found,) = await verify(stores[0], bank)
    assert found.complaints == ()
    assert found.comparison.events == len(await entries(stores[0])) > 500


async def test_a_record_that_somebody_changed_is_shown_and_mended(stores: Sequence[Store]) -> None:
    async with working(stores, 20):
        pass
    before = await dump(stores[0])
    table = table_of(Balance).table
    async with stores[0].session() as session:
        session.put(table, {**before["balances"][0], "amount": 999_999})
        session.delete(table, before["balances"][1]["account"])
        session.put(table, {"account": "nobody", "amount": 1, "numbers": "[]"})
    found = await compare(stores[0], FOLD)
    assert not found.same
    assert found.differing == 3
    assert {(d.key, d.live is None, d.folded is None) for d in found.differences} == {
        ("a", False, False),
        ("b", True, False),
        ("nobody", False, True),
    }
    assert any("999999" in line for line in (await verify(stores[0], bank))[0].complaints)
    result = await rebuild.rebuild(stores[0], FOLD)
    assert (await compare(stores[0], FOLD)).same
    assert await dump(stores[0]) == before
    assert result.rows == {"balances": len(before["balances"]), "book": 1}


async def test_an_event_that_gets_its_place_meanwhile_is_not_overlooked(
    stores: Sequence[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.prepare(stores[0])
    await fold.begin(stores[0], FOLD)
    async with stores[0].session() as session:
        data = msgspec.json.encode(Moved(account="a", number=1, amount=5))
        first = Entry(id="a1", ordinal=PARKED, type="bank.moved.v1", key="bank/a", number=1, data=data)
        await journal.note(session, first)
    read_counts = journal.counts

    async def counts(session: Session) -> Mapping[str, Count]:
        found = await read_counts(session)
        monkeypatch.undo()
        await journal.order(stores[1])
        return found

    monkeypatch.setattr(journal, "counts", counts)
    assert not await is_quiet(stores[0], [FOLD])


async def test_a_handler_that_is_not_the_same_each_time_is_found_out(stores: Sequence[Store]) -> None:
    treacherous.extend([0, 0, 5])
    async with working(stores, 5):
        pass
    assert not (await compare(stores[0], FOLD)).same


async def test_a_rebuild_that_fails_changes_nothing_and_the_next_begins_anew(
    stores: Sequence[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(stores, 20):
        pass
    before, reached = await dump(stores[0]), await standings(stores[0], [FOLD])
    apply, calls = fold.apply, [0]

    async def breaking(*args: Any) -> Any:
        calls[0] += 1
        if calls[0] > 2:
            raise ShoalError("the process ends here")
        return await apply(*args)

    monkeypatch.setattr(twins, "BATCH", 10)
    with monkeypatch.context() as patch:
        patch.setattr(fold, "apply", breaking)
        with pytest.raises(ShoalError, match="ends here"):
            await rebuild.rebuild(stores[0], FOLD)
    assert await dump(stores[0]) == before
    assert await standings(stores[0], [FOLD]) == reached
    await rebuild.rebuild(stores[0], FOLD)
    assert await dump(stores[0]) == before


async def test_a_rebuild_whose_right_is_lost_ends_and_leaves_the_tables_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    async with working((store, store), 20):
        pass
    before, apply, removed = await dump(store), fold.apply, list[object]()

    async def losing(*args: Any) -> Any:
        store.vanish()
        return await apply(*args)

    async def untwin(table: object) -> None:
        removed.append(table)

    monkeypatch.setattr(twins, "BATCH", 10)
    monkeypatch.setattr(fold, "apply", losing)
    monkeypatch.setattr(store, "untwin", untwin)
    with pytest.raises(Unavailable, match="lost"):
        await rebuild.rebuild(store, FOLD)
    assert (await dump(store), removed) == (before, [])


async def test_of_two_first_events_of_a_key_one_conflicts(stores: Sequence[Store]) -> None:
    met = asyncio.Barrier(2)

    async def first(store: Store, id_: str) -> None:
        async with store.session() as session:
            await journal.note(session, Entry(id=id_, ordinal=PARKED, type="t", key="k", data=b"{}"))
            await met.wait()

    async with asyncio.timeout(20):
        ends = await asyncio.gather(*map(first, stores, "12"), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == [Conflict.__name__, "NoneType"]


async def test_new_handlers_make_the_model_outdated_until_it_is_rebuilt(stores: Sequence[Store]) -> None:
    async with working(stores, 20):
        pass
    newer: Fold = msgspec.structs.replace(FOLD, version=2)
    assert [s.state for s in await standings(stores[0], [newer])] == ["outdated"]
    await rebuild.rebuild(stores[0], newer)
    assert [(s.state, s.version, s.generation) for s in await standings(stores[0], [newer])] == [("live", 2, 2)]


async def test_a_projection_that_comes_later_folds_what_was_noted_before(stores: Sequence[Store]) -> None:
    async with working(stores, 20):
        pass
    late = msgspec.structs.replace(FOLD, name="late")
    async with stores[0].session() as session:
        for row in (await dump(stores[0]))["balances"]:
            session.delete(table_of(Balance).table, row["account"])
        session.delete(table_of(Book).table, "all")
    assert [s.state for s in await standings(stores[0], [late])] == ["new"]
    await fold.begin(stores[0], late)
    while (await fold.advance(stores[0], late)).events:
        pass
    await require_fold(stores[0])


async def test_progress_is_told_up_to_the_end(stores: Sequence[Store]) -> None:
    async with working(stores, 20):
        pass
    told: list[tuple[int, int]] = []
    result = await rebuild.rebuild(stores[0], FOLD, lambda done, total: told.append((done, total)))
    assert told[0] == (0, result.events)
    assert told[-1] == (result.events, result.events)


def move_before_the_swap(monkeypatch: pytest.MonkeyPatch, store: Store, number: int) -> None:
    """Let an event come when all the others are folded, so that the swap has to fold it."""
    catch_up, late = twins.catch_up, [number]

    async def then_move(*args: Any) -> None:
        await catch_up(*args)
        if late:
            await move(store, late.pop())

    monkeypatch.setattr("shoal.runtime.projections.rebuild.catch_up", then_move)


class Commits:
    """The answers of commits are heard, but for one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, store: Store, *, lost: int | None = None) -> None:
        self.made, self.swaps, self._lost = 0, 0, lost
        kind: Any = type(store.session())
        replace, leave = kind.replace, kind.__aexit__
        swapping: list[object] = []

        async def replacing(session: Any, *args: Any) -> None:
            await replace(session, *args)
            swapping.append(session)

        async def leaving(session: Any, *error: Any) -> Any:
            ended = await leave(session, *error)
            if error[0] is None:
                self._answer(swaps=session in swapping)
            return ended

        monkeypatch.setattr(kind, "replace", replacing)
        monkeypatch.setattr(kind, "__aexit__", leaving)

    def _answer(self, *, swaps: bool) -> None:
        self.made += 1
        self.swaps += swaps
        if self.made == self._lost or (self._lost is None and swaps and self.swaps == 1):
            raise Unavailable("nobody heard whether it was done")


async def test_a_swap_that_is_tried_again_folds_nothing_twice(anywhere: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await move(anywhere, 1, 2)
    move_before_the_swap(monkeypatch, anywhere, 3)
    kind: Any = type(anywhere.session())
    replace, busy = kind.replace, [Unavailable("others read the table")]

    async def replacing(*args: Any) -> None:
        if busy:
            raise busy.pop()
        await replace(*args)

    monkeypatch.setattr(kind, "replace", replacing)
    result = await rebuild.rebuild(anywhere, FOLD)
    assert (result.events, result.generation) == (3, 2)
    assert [row["amount"] for row in (await dump(anywhere))["balances"]] == [30]
    assert (await compare(anywhere, FOLD)).same


async def test_a_swap_of_which_nobody_heard_is_looked_for(anywhere: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await move(anywhere, 1, 2)
    with monkeypatch.context() as patch:
        commits = Commits(patch, anywhere)
        result = await rebuild.rebuild(anywhere, FOLD)
    assert (commits.swaps, result.events, result.generation) == (1, 2, 2)
    await move(anywhere, 3)
    assert [row["amount"] for row in (await dump(anywhere))["balances"]] == [30]
    assert (await compare(anywhere, FOLD)).same


async def test_whichever_answer_is_lost_the_model_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twins, "BATCH", 2)
    done: list[bool] = []
    for lost in count(1):
        store = MemoryStore()
        await move(store, 1, 2, 3)
        with monkeypatch.context() as patch:
            move_before_the_swap(patch, store, 4)
            commits = Commits(patch, store, lost=lost)
            try:
                done.append((await rebuild.rebuild(store, FOLD)).generation == 2)
            except Unavailable:
                done.append(False)
        await move(store, 5)
        folded = [entry for entry in await entries(store) if entry.position]
        assert [row["amount"] for row in (await dump(store))["balances"]] == [10 * len(folded)]
        assert (await compare(store, FOLD)).same
        if commits.made < lost:
            break
    assert (done[-1], True in done[:-1]) == (True, True)


async def test_twins_are_filled_by_nobody_who_has_lost_them(anywhere: Store) -> None:
    await move(anywhere, 1)
    async with twins.twins(anywhere, FOLD) as late:
        await twins._begin(anywhere, FOLD)  # as another process does, which has the right now
        with pytest.raises(Unavailable, match="lost"):
            await twins.catch_up(anywhere, late)
    assert (await compare(anywhere, FOLD)).same


async def test_little_is_left_for_the_last_step_where_transactions_are_small() -> None:
    store = MemoryStore()
    await move(store, *range(1, 10))
    async with twins.twins(store, FOLD) as made:
        made.batch.halve(4)
        await twins.catch_up(store, made)
        async with store.session() as session:
            assert (await made.reached(session)).events == 9
