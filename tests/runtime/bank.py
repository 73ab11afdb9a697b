"""A bank with a read model of its accounts, whose events come while it is built anew."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from shoal import Postgres, ReadModel, Service, event, record
from shoal.drivers.base import Query, Row, Store
from shoal.runtime.projections import fold, journal
from shoal.runtime.projections.fold import compile_fold
from shoal.runtime.projections.standing import standings
from shoal.runtime.projections.tables import JOURNAL, PARKED, Entry, read
from shoal.runtime.tables import table_of

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


class Rollback(Exception):
    pass


async def write(store: Store, accounts: str, times: int, chance: random.Random) -> None:
    """Note events of some accounts, each in a transaction; some transactions fail, some events are repeated."""
    numbers = dict.fromkeys(accounts, 1)
    for _ in range(times):
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
        folded = (await fold.advance(store, FOLD, limit=7)).events
        if not placed and not folded:
            await asyncio.sleep(0.002)


@asynccontextmanager
async def working(stores: Sequence[Store], times: int) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Let events be noted and folded; the tasks are those that note them."""
    await journal.prepare(stores[0])
    await fold.begin(stores[0], FOLD)
    replicas = [asyncio.create_task(live(store)) for store in stores]
    parts = (KEYS[:3], KEYS[3:5], KEYS[5:])
    writers = [
        asyncio.create_task(write(stores[n % 2], part, times, random.Random(n)))  # noqa: S311 - the same each time
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
        rows = await session.find(JOURNAL.table, Query(order=("position",)))
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


async def move(store: Store, *numbers: int) -> None:
    """Note events of one account, and fold them."""
    await journal.prepare(store)
    await fold.begin(store, FOLD)
    for number in numbers:
        data = msgspec.json.encode(Moved(account="a", number=number, amount=10))
        entry = Entry(id=f"a{number}", ordinal=PARKED, type="bank.moved.v1", key="bank/a", number=number, data=data)
        async with store.session() as session:
            await journal.note(session, entry)
        await journal.order(store)
        await fold.advance(store, FOLD)
