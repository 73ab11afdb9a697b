"""Aggregates are the fold of their facts, whatever is kept beside them and whoever appends at the same time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal import Conflict, Postgres, Service, ShoalError, Transaction
from shoal.drivers.base import Query, Store
from shoal.drivers.memory import MemoryStore
from shoal.errors import EngineError
from shoal.runtime.aggregates import AGGREGATES, FACTS, Aggregates
from shoal.runtime.clock import SystemClock
from shoal.runtime.transaction import Announcer, UnitOfWork
from tests.runtime.accounts import Account, Change, Opened, PaidIn, PaidInV1, PaidOut
from tests.runtime.database import Database, database

bank = Service("bank", store=Postgres(migrations=""))


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="server")
async def _server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


class Contract:
    """What holds on every store."""

    pytestmark = pytest.mark.asyncio(loop_scope="module")

    async def test_what_was_appended_is_folded(self, store: Store) -> None:
        async def begin(tx: Transaction) -> None:
            assert await tx.load(Account, "1") is None
            account = tx.append(Account(number="1"), Opened(owner="ann"))
            account = tx.append(tx.append(account, PaidIn(cents=500)), PaidOut(cents=200))
            assert account == Account(number="1", owner="ann", balance=300)
            assert await tx.load(Account, "1") == account, "its own appends are seen"

        await within(store, begin)
        assert await read(store, "1") == Account(number="1", owner="ann", balance=300)
        assert await kinds(store, "1") == ["opened.v1", "paid-in.v2", "paid-out.v1"]

    async def test_nothing_of_a_failed_transaction_remains(self, store: Store) -> None:
        async def fail(tx: Transaction) -> None:
            tx.append(Account(number="1"), Opened(owner="ann"))
            raise ValueError

        with pytest.raises(ValueError, match=r"^$"):
            await within(store, fail)
        assert await read(store, "1") is None
        assert await kinds(store, "1") == []

    async def test_of_two_that_append_at_one_version_one_is_refused(self, store: Store) -> None:
        await pay(store, "1", 100)
        both = asyncio.Barrier(2)

        async def draw(tx: Transaction) -> None:
            account = await tx.load(Account, "1")
            assert account is not None
            await both.wait()
            tx.append(account, PaidOut(cents=account.balance))

        results = await asyncio.gather(within(store, draw), within(store, draw), return_exceptions=True)
        assert sorted(type(r).__name__ for r in results) == ["Conflict", "NoneType"]
        assert await read(store, "1") == Account(number="1", balance=0)

    async def test_of_two_that_begin_one_aggregate_one_is_refused(self, store: Store) -> None:
        both = asyncio.Barrier(2)

        async def begin(tx: Transaction) -> None:
            assert await tx.load(Account, "1") is None
            await both.wait()
            tx.append(Account(number="1"), Opened(owner="ann"))

        results = await asyncio.gather(within(store, begin), within(store, begin), return_exceptions=True)
        assert sorted(type(r).__name__ for r in results) == ["Conflict", "NoneType"]

    async def test_who_locks_waits_and_nobody_is_refused(self, store: Store) -> None:
        for number in "123":
            await pay(store, number, 0)

        async def move(tx: Transaction, numbers: tuple[str, str]) -> None:
            accounts = await tx.load_all(Account, numbers, lock=True)
            tx.append(accounts[numbers[0]], PaidOut(cents=1))
            await asyncio.sleep(0)
            tx.append(accounts[numbers[1]], PaidIn(cents=1))

        pairs = [(a, b) for a in "123" for b in "123" if a != b] * 5
        await asyncio.gather(*(within(store, partial(move, numbers=pair)) for pair in pairs))
        found = [await read(store, number) for number in "123"]
        assert [account.balance for account in found if account] == [0, 0, 0]
        assert len(await kinds(store, "1")) == 1 + len(pairs) * 2 // 3

    async def test_it_is_made_anew_from_its_facts(self, store: Store) -> None:
        for cents in range(1, 9):
            await pay(store, "1", cents)
        row = await kept(store)
        assert (row["version"], row["snapshot"]) == (8, 7)

        async def forget(tx: UnitOfWork) -> None:
            tx.session.delete(AGGREGATES.table, "account/1")

        await within(store, forget)
        assert await read(store, "1") == Account(number="1", balance=36)
        await pay(store, "1", 4)
        assert await read(store, "1") == Account(number="1", balance=40)
        assert (await kept(store))["snapshot"] == 9

    @pytest.mark.parametrize("damage", [{"shape": "2.other"}, {"state": '{"number": 1}'}])
    async def test_a_snapshot_of_another_shape_is_passed_over(self, store: Store, damage: dict[str, str]) -> None:
        for cents in range(1, 9):
            await pay(store, "1", cents)
        before = await kept(store)
        wrong = {"state": '{"number": "1", "balance": 9999}'} | damage

        async def spoil(tx: UnitOfWork) -> None:
            tx.session.put(AGGREGATES.table, {**before, **wrong})

        await within(store, spoil)
        assert await read(store, "1") == Account(number="1", balance=36)
        await pay(store, "1", 4)
        assert (await kept(store))["shape"] == before["shape"]
        assert await read(store, "1") == Account(number="1", balance=40)

    async def test_many_facts_are_read_in_pages(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shoal.runtime.aggregates.PAGE", 4)
        for count in (1, 4, 8, 11):
            number = str(count)
            await within(store, partial(began, number=number, count=count))

            async def forget(tx: UnitOfWork, n: str = number) -> None:
                tx.session.delete(AGGREGATES.table, f"account/{n}")

            await within(store, forget)
            assert await read(store, number) == Account(number=number, balance=count)

    async def test_facts_of_an_older_version_are_read(self, store: Store) -> None:
        await pay(store, "1", 100)

        async def record(tx: UnitOfWork) -> None:
            rows = await tx.session.find(FACTS.table, Query())
            tx.session.put(FACTS.table, {**rows[0], "kind": "paid-in.v1", "body": '{"amount": 1.5}'})
            tx.session.delete(AGGREGATES.table, "account/1")

        await within(store, record)
        assert await read(store, "1") == Account(number="1", balance=150)

    async def test_a_fact_that_nobody_knows_is_refused_with_a_hint(self, store: Store) -> None:
        await pay(store, "1", 100)

        async def record(tx: UnitOfWork) -> None:
            rows = await tx.session.find(FACTS.table, Query())
            tx.session.put(FACTS.table, {**rows[0], "kind": "paid-in.v3"})
            tx.session.delete(AGGREGATES.table, "account/1")

        await within(store, record)
        with pytest.raises(EngineError, match=r"paid-in\.v3") as refusal:
            await read(store, "1")
        assert "newer version" in refusal.value.hint

    async def test_a_missing_fact_is_noticed(self, store: Store) -> None:
        for cents in range(1, 6):
            await pay(store, "1", cents)

        async def lose(tx: UnitOfWork) -> None:
            tx.session.delete(FACTS.table, "account/1/0000000005")

        await within(store, lose)
        with pytest.raises(EngineError, match="5 facts"):
            await read(store, "1")

    async def test_its_history_is_read_by_version(self, store: Store) -> None:
        await within(store, partial(began, number="1", count=5))

        async def look(tx: Transaction) -> None:
            found = await tx.facts(Account, "1", above=1, limit=3)
            assert [(f.version, f.fact) for f in found] == [(n, PaidIn(cents=1)) for n in (2, 3, 4)]
            assert await tx.facts(Account, "none") == []

        await within(store, look)

    async def test_aggregates_whose_names_begin_alike_are_apart(self, store: Store) -> None:
        await pay(store, "1", 1)
        await pay(store, "1/0000000001", 10)
        await pay(store, "1-", 100)
        assert [a.balance for n in ("1", "1/0000000001", "1-") if (a := await read(store, n))] == [1, 10, 100]


class TestInMemory(Contract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


@pytest.mark.live
class TestOnPostgres(Contract):
    @pytest_asyncio.fixture(loop_scope="module")
    async def store(self, server: Database) -> Store:
        store = server.store(await server.empty(), pool=8)
        await store.open()
        await store.migrate([], [FACTS, AGGREGATES])
        return store


async def within(store: Store, work: Callable[[Any], Awaitable[object]]) -> None:
    async with store.session() as session:
        await work(UnitOfWork(session, Announcer("t", bank, SystemClock())))


async def read(store: Store, number: str) -> Account | None:
    async with store.session() as session:
        return await UnitOfWork(session, Announcer("t", bank, SystemClock())).load(Account, number)


async def kinds(store: Store, number: str) -> list[object]:
    async with store.session() as session:
        rows = await session.find(FACTS.table, Query(where={"aggregate": f"account/{number}"}, order=("version",)))
    return [row["kind"] for row in rows]


async def kept(store: Store) -> dict[str, object]:
    async with store.session() as session:
        row = await session.get(AGGREGATES.table, "account/1")
    assert row is not None
    return dict(row)


async def pay(store: Store, number: str, cents: int) -> None:
    async def pay_in(tx: Transaction) -> None:
        tx.append(await tx.load(Account, number) or Account(number=number), PaidIn(cents=cents))

    await within(store, pay_in)


async def began(tx: Transaction, number: str, count: int) -> None:
    account = Account(number=number)
    for _ in range(count):
        account = tx.append(account, PaidIn(cents=1))


async def test_a_decision_on_another_state_is_refused() -> None:
    store = MemoryStore()
    await pay(store, "1", 100)

    async def twice(tx: Transaction) -> None:
        account = await tx.load(Account, "1")
        assert account is not None
        tx.append(account, PaidOut(cents=100))
        tx.append(account, PaidOut(cents=100))

    with pytest.raises(ShoalError, match="left it"):
        await within(store, twice)

    async def unread(tx: Transaction) -> None:
        tx.append(Account(number="1", balance=100), PaidOut(cents=100))

    with pytest.raises(ShoalError, match="loaded it"):
        await within(store, unread)

    async def anew(tx: Transaction) -> None:
        tx.append(Account(number="1"), Opened(owner="bob"))

    with pytest.raises(Conflict):
        await within(store, anew)


async def test_a_foreign_fact_is_refused() -> None:
    async with MemoryStore().session() as session:
        aggregates = Aggregates(session, SystemClock())
        with pytest.raises(ShoalError, match="PaidInV1 is no fact of Account"):
            aggregates.append(Account(number="1"), PaidInV1(amount=1.0))


changes = st.one_of(
    st.builds(Opened, owner=st.text(max_size=3)),
    st.builds(PaidIn, cents=st.integers(0, 99)),
    st.builds(PaidOut, cents=st.integers(0, 99)),
)


@settings(deadline=None)  # the machine may be busy
@given(batches=st.lists(st.lists(changes, min_size=1, max_size=4), max_size=6))
def test_the_state_is_the_fold_of_the_facts_however_they_come(batches: list[list[Change]]) -> None:
    async def play() -> Account | None:
        store = MemoryStore()
        for batch in batches:

            async def add(tx: Transaction, batch: list[Change] = batch) -> None:
                account = await tx.load(Account, "1") or Account(number="1")
                for change in batch:
                    account = tx.append(account, change)

            await within(store, add)
        return await read(store, "1")

    expected = Account(number="1")
    for change in (change for batch in batches for change in batch):
        expected = expected.apply(change)
    assert asyncio.run(play()) == (expected if batches else None)
