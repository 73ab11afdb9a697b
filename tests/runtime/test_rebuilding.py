"""A read model that is built anew equals the live one, byte for byte, while events keep coming."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from shoal import Postgres, ReadModel, Service, event, record
from shoal.drivers.base import Migration, Query, Row, Session, Store
from shoal.drivers.memory import MemoryStore
from shoal.errors import Conflict, ShoalError, Unavailable
from shoal.runtime.projections import fold, journal, rebuild
from shoal.runtime.projections.fold import Fold, compile_fold
from shoal.runtime.projections.standing import is_quiet, standings
from shoal.runtime.projections.tables import JOURNAL as JOURNAL_TABLE
from shoal.runtime.projections.tables import PARKED, PROJECTION_TABLES, Count, Entry, read
from shoal.runtime.projections.verify import Comparison, compare, verify
from shoal.runtime.tables import table_of
from tests.runtime.database import Database, database

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

KEYS = "abcdefg"

SQL = """
create table balances (account text primary key, amount bigint not null, numbers jsonb not null);
create table book (name text primary key, length bigint not null, trail text not null);
create index by_amount on balances (amount);
"""


@event("bank.moved", key="account", sequence="number")
class Moved(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    number: int
    amount: int


@record("balances", key="account")
class Balance(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    amount: int = 0
    numbers: tuple[int, ...] = ()


@record("book", key="name")
class Book(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    length: int = 0
    trail: str = ""


bank = Service("bank", store=Postgres(), publishes=[Moved])
balances = bank.projection("balances", records=[Balance, Book])

treacherous: list[int] = []
"""While there is something in it, the handler does what a handler must not."""


@balances.on(Moved)
async def moved(event: Moved, records: ReadModel) -> None:
    known = await records.get(Balance, event.account) or Balance(account=event.account)
    amount = known.amount + event.amount + (treacherous.pop() if treacherous else 0)
    records.put(Balance(account=event.account, amount=amount, numbers=(*known.numbers, event.number)[-9:]))
    book = await records.get(Book, "all") or Book(name="all")
    trail = f"{book.trail}{event.account}{event.number} "[-120:]  # the order between accounts shows
    records.put(Book(name="all", length=book.length + 1, trail=trail))


FOLD = compile_fold(balances)


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


class Rollback(Exception):
    pass


async def write(store: Store, accounts: str, count: int, chance: random.Random) -> None:
    """Note events of some accounts, each in a transaction; some transactions fail, some events are repeated."""
    numbers = dict.fromkeys(accounts, 1)
    for _ in range(count):
        account = chance.choice(accounts)
        number = numbers[account]
        moved = Moved(account=account, number=number, amount=chance.randint(-50, 50))
        entry = Entry(
            id=f"{account}{number}", ordinal=PARKED, type="bank.moved.v1", key=f"bank/{account}", number=number,
            data=msgspec.json.encode(moved),
        )  # fmt: skip
        try:
            async with store.session() as session:
                await journal.note(session, entry)
                await session.flush()
                await asyncio.sleep(chance.random() / 500)
                _fail(chance)
        except Rollback:
            continue
        numbers[account] += 1
        await asyncio.sleep(0)


def _fail(chance: random.Random) -> None:
    if chance.random() < 0.2:
        raise Rollback


async def live(store: Store) -> None:
    """Do what a replica does."""
    while True:
        placed = await journal.order(store)
        folded = await fold.advance(store, FOLD, limit=7)
        if not placed and not folded:
            await asyncio.sleep(0.002)


@asynccontextmanager
async def working(stores: Sequence[Store], count: int) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Let events be noted and folded; the tasks are those that note them."""
    await journal.prepare(stores[0])
    await fold.begin(stores[0], FOLD)
    replicas = [asyncio.create_task(live(store)) for store in stores]
    parts = (KEYS[:3], KEYS[3:5], KEYS[5:])
    writers = [
        asyncio.create_task(write(stores[n % 2], part, count, random.Random(n)))  # noqa: S311 - the same each time
        for n, part in enumerate(parts)
    ]
    try:
        yield writers
        await asyncio.gather(*writers)
        async with asyncio.timeout(30):
            while any(s.behind or s.waiting for s in await standings(stores[0], [FOLD])):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        for task in (*writers, *replicas):
            task.cancel()
        await asyncio.gather(*writers, *replicas, return_exceptions=True)


async def entries(store: Store) -> list[Entry]:
    async with store.session() as session:
        rows = await session.find(JOURNAL_TABLE.table, Query(order=("position",)))
    return [read(row, Entry) for row in rows]


async def dump(store: Store) -> dict[str, Sequence[Row]]:
    async with store.session() as session:
        return {t.table.name: await session.find(t.table, Query()) for t in (table_of(Balance), table_of(Book))}


def expected(found: Sequence[Entry]) -> tuple[dict[str, tuple[int, list[int]]], int, str]:
    """Fold the journal by hand."""
    accounts: dict[str, tuple[int, list[int]]] = {}
    trail = ""
    for entry in found:
        moved = msgspec.json.decode(entry.data, type=Moved)
        amount, numbers = accounts.get(moved.account, (0, []))
        accounts[moved.account] = (amount + moved.amount, [*numbers, moved.number][-9:])
        trail = f"{trail}{moved.account}{moved.number} "[-120:]
    return accounts, len(found), trail


async def require_fold(store: Store) -> None:
    """Compare what is stored with the journal, folded by hand."""
    found = await entries(store)
    assert [e.position for e in found] == list(range(1, len(found) + 1))
    for account in KEYS:
        numbers = [e.number for e in found if e.key == f"bank/{account}"]
        assert numbers == list(range(1, len(numbers) + 1))
    accounts, length, trail = expected(found)
    stored = await dump(store)
    assert {
        row["account"]: (row["amount"], msgspec.json.decode(str(row["numbers"]))) for row in stored["balances"]
    } == accounts
    assert [(row["length"], row["trail"]) for row in stored["book"]] == [(length, trail)]


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

    monkeypatch.setattr(rebuild, "BATCH", 10)
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

    monkeypatch.setattr(rebuild, "BATCH", 10)
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
    while await fold.advance(stores[0], late):
        pass
    await require_fold(stores[0])


async def test_progress_is_told_up_to_the_end(stores: Sequence[Store]) -> None:
    async with working(stores, 20):
        pass
    told: list[tuple[int, int]] = []
    result = await rebuild.rebuild(stores[0], FOLD, lambda done, total: told.append((done, total)))
    assert told[0] == (0, result.events)
    assert told[-1] == (result.events, result.events)
