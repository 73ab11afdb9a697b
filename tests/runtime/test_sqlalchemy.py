"""Sessions of SQLAlchemy inside our transactions, on a real PostgreSQL."""

# ruff: noqa: PT012 - what fails is often the end of a session, and a session is a block

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import msgspec
import pytest
import pytest_asyncio

from shoal import Clock, Postgres, Service, Transaction, event, record
from shoal.drivers.base import Migration, Store
from shoal.drivers.memory import MemoryStore
from shoal.errors import Conflict, DeclarationError, EngineError
from shoal.runtime.transacting import Transactor
from shoal.runtime.transaction import Announcer
from shoal.testing import MovableClock
from tests.runtime.database import Database, database

pytest.importorskip("sqlalchemy", reason="needs shoal[sqlalchemy]")

from sqlalchemy import JSON, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shoal.sqlalchemy import session

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

CREATE = Migration(
    number=1, name="001.sql", checksum="a" * 64,
    sql="""
    create table books (isbn text primary key, title text unique, tags jsonb not null default '[]');
    create table counts (isbn text primary key, copies integer not null);
    """,
)  # fmt: skip


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    isbn: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)


@record("counts", key="isbn")
class Count(msgspec.Struct, frozen=True, kw_only=True):
    isbn: str
    copies: int


@event("library.bought", key="isbn")
class Bought(msgspec.Struct, frozen=True, kw_only=True):
    isbn: str


library = Service("library", store=Postgres(sql=True), publishes=[Bought])

Work = Callable[[Transaction], Awaitable[Any]]
Run = Callable[[Work], Awaitable[Any]]


def runner(store: Store) -> Run:
    """Run units of work on a store, as a service does."""
    clock = cast("Clock", MovableClock())
    return Transactor(store, Announcer("town", library, clock), lambda: None)


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="server")
async def _server() -> AsyncIterator[Database]:
    async with database() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", name="store")
async def _store(server: Database) -> AsyncIterator[Store]:
    store = server.store(await server.empty(), pool=2)
    await store.open()
    await store.migrate([CREATE])
    yield store
    await store.close()


async def buy(tx: Transaction, isbn: str = "1", title: str = "Dune") -> None:
    """Use everything in one transaction."""
    tx.put(Count(isbn=isbn, copies=1))
    async with session(tx) as db:
        db.add(Book(isbn=isbn, title=title, tags=["sand", 'quo"te']))
    tx.publish(Bought(isbn=isbn))


async def state(run: Run, store: Store) -> tuple[list[tuple[str, list[str]]], list[str], int]:
    """Say which books there are, which counts, and how many events wait."""

    async def look(tx: Transaction) -> tuple[list[tuple[str, list[str]]], list[str]]:
        async with session(tx) as db:
            books = (await db.scalars(select(Book).order_by(Book.isbn))).all()
            found = [(book.isbn, book.tags) for book in books]
        return found, [one.isbn for one in await tx.find(Count)]

    books, counts = await run(look)
    return books, counts, (await store.backlog()).count


async def test_all_of_it_commits_together(store: Store) -> None:
    run = runner(store)
    await run(buy)
    assert await state(run, store) == ([("1", ["sand", 'quo"te'])], ["1"], 1)


async def test_or_nothing_does(store: Store) -> None:
    run = runner(store)

    async def fail(tx: Transaction) -> None:
        await buy(tx)
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        await run(fail)
    assert await state(run, store) == ([], [], 0)


async def test_a_session_sees_what_was_written_before_it_and_is_seen(store: Store) -> None:
    async def both(tx: Transaction) -> tuple[int, Any]:
        tx.put(Count(isbn="1", copies=3))
        async with session(tx) as db:
            copies = (await db.execute(text("select copies from counts"))).scalar_one()
            await db.execute(text("update counts set copies = 4"))
        return copies, await tx.get(Count, "1")

    assert await runner(store)(both) == (3, Count(isbn="1", copies=4))


async def test_what_it_holds_is_checked_where_the_block_ends(store: Store) -> None:
    run = runner(store)
    await run(buy)

    async def again(tx: Transaction) -> None:
        tx.put(Count(isbn="2", copies=1))
        with pytest.raises(Conflict, match="books"):
            async with session(tx) as db:
                db.add(Book(isbn="2", title="Dune"))

    await run(again)
    assert await state(run, store) == ([("1", ["sand", 'quo"te'])], ["1", "2"], 1)


async def test_a_block_that_raises_is_undone_alone(store: Store) -> None:
    run = runner(store)

    async def half(tx: Transaction) -> None:
        with pytest.raises(KeyError):
            async with session(tx) as db:
                db.add(Book(isbn="9", title="It"))
                await db.flush()
                raise KeyError("it")
        await buy(tx)

    await run(half)
    assert await state(run, store) == ([("1", ["sand", 'quo"te'])], ["1"], 1)


async def test_its_own_commit_commits_nothing_of_ours(store: Store) -> None:
    run = runner(store)

    async def commits(tx: Transaction) -> None:
        async with session(tx) as db:
            db.add(Book(isbn="1", title="Emma"))
            await db.commit()
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        await run(commits)
    assert await state(run, store) == ([], [], 0)


async def test_wrong_sql_is_said_as_for_other_sql(store: Store) -> None:
    async def wrong(tx: Transaction) -> None:
        async with session(tx) as db:
            await db.execute(text("select * from nothing"))

    with pytest.raises(EngineError, match="nothing"):
        await runner(store)(wrong)


async def test_many_at_a_time_have_connections_of_their_own(store: Store) -> None:
    run = runner(store)
    await asyncio.gather(*(run(lambda tx, n=n: buy(tx, str(n), f"t{n}")) for n in range(20)))  # type: ignore[misc]
    books, counts, waiting = await state(run, store)
    assert (len(books), len(counts), waiting) == (20, 20, 20)


async def test_what_it_sets_does_not_stay(store: Store) -> None:
    run = runner(store)

    async def sets(tx: Transaction) -> None:
        async with session(tx) as db:
            await db.execute(text("set search_path to nowhere"))

    await run(sets)
    await run(buy)
    assert (await state(run, store))[1] == ["1"]


async def test_another_store_is_refused() -> None:
    with pytest.raises(DeclarationError, match="not PostgreSQL"):
        await runner(MemoryStore())(buy)
