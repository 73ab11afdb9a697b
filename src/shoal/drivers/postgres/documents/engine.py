"""JSONB of PostgreSQL as an engine of documents."""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from shoal.drivers.base import Query, Row, Table
from shoal.drivers.base.documents.engine import Document, Held, Hold, Numbered, Refused, Write
from shoal.drivers.base.documents.tables import FRAMEWORK
from shoal.drivers.postgres import client
from shoal.drivers.postgres.address import parse
from shoal.drivers.postgres.client import Link
from shoal.drivers.postgres.documents import asking, commits, layout, locks, values
from shoal.drivers.postgres.documents.commits import Part
from shoal.drivers.postgres.documents.raw import Documents
from shoal.drivers.postgres.pool import Pool
from shoal.drivers.postgres.pooled import reach
from shoal.errors import Conflict, Contended, EngineError

POOL_SIZE = 16
"""Most connections of one process; ``?pool=`` in the URL replaces it."""

KEEPING = 2
"""Connections for those who renew locks, so that nobody who waits for a large answer lets them run out."""

PATIENCE = 10.0
"""Seconds for a commit that collides with others."""

_MAKING = {"statement_timeout": "0", "lock_timeout": "60s"}
_MANY = 1_000


class JsonEngine:
    """A `documents.engine.Engine`."""

    step = 1_000

    def __init__(self, url: str) -> None:
        address = parse(url)
        self._direct = address.direct
        self._pool = Pool(lambda: reach(address), address.pool or POOL_SIZE)
        self._keeping = Pool(lambda: reach(address), KEEPING)
        self._names: set[str] | None = None
        """What there is in our schema, as far as is known."""
        self._indexes: dict[str, tuple[str, Held, str]] = {
            layout.primary(table): (table.name, "key", "")
            for table, _ in FRAMEWORK  # another process may have made it
        }
        """Table, meaning and column of what a row can contradict."""

    async def open(self) -> None:
        """Open the first connection."""
        await self._pool.open()

    async def close(self) -> None:
        """Drop every connection."""
        self._pool.close()
        self._keeping.close()

    def raw(self, table: Table) -> Documents:
        """Return the table, for SQL of one's own."""
        return Documents(self._pool, layout.place(table.name))

    async def ping(self) -> None:
        """Run an empty statement."""
        await self._pool.ping()

    async def declare(self, table: Table, indexes: Sequence[Sequence[str]] = ()) -> None:
        """Make the table and its indexes, if they are not there."""
        self._indexes[layout.primary(table)] = table.name, "key", ""
        for column in table.unique:
            self._indexes[layout.unique(table, column)] = table.name, "unique", column
        await self._make(layout.statements(table, indexes))

    async def _ready(self) -> set[str]:
        """Know what there is, and make what everything needs."""
        if self._names is None:
            link = await client.connect(self._direct, _MAKING)
            try:
                if not (await link.fetch(layout.SORTED))[0]["yes"]:
                    raise EngineError(
                        "documents need a database that sorts text by code points",
                        hint="create database NAME template template0 encoding 'UTF8' locale 'C'",
                    )
                names = await _names(link)
                if layout.LOCKS_NAME not in names:
                    await link.script(f"{layout.LATCH};{layout.BASE}")
                    names = await _names(link)
            finally:
                link.abort()
            self._names = names
        return self._names

    async def _make(self, wanted: Mapping[str, str]) -> None:
        known = await self._ready()
        if missing := [text for name, text in wanted.items() if name not in known]:
            link = await client.connect(self._direct, _MAKING)
            try:
                await link.script(";".join([layout.LATCH, *missing]))
            finally:
                link.abort()
            known |= {*wanted}

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read by key, some at a time."""
        written = [values.key(key) for key in keys]
        if len(written) == 1:
            rows = await self._pool.fetch(asking.read(table.name, several=False), written)
            return [values.read(table, row) for row in rows]
        found: list[Document] = []
        for first in range(0, len(written), _MANY):
            some = written[first : first + _MANY]
            rows = await self._pool.fetch(asking.read(table.name, several=True), [some])
            found += [values.read(table, row) for row in rows]
        return found

    async def search(self, table: Table, query: Query) -> Sequence[Document]:
        """Read what matches."""
        return [values.read(table, row) for row in await self._pool.fetch(*asking.search(table, query))]

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count what matches."""
        rows = await self._pool.fetch(*asking.count(table, Query(where=where)))
        return cast("int", rows[0]["n"])

    async def remove(self, table: Table, query: Query) -> int:
        """Remove what matches, some at a time; what others hold or come upon at the time is left for later."""
        gone, question = 0, asking.remove(table, query, _MANY)
        while some := cast("int", (await self._pool.fetch(*question))[0]["n"]):
            gone += some
        return gone

    async def drop(self, table: Table) -> None:
        """Drop the table, and forget that there was one."""
        known = await self._ready()
        await self._pool.fetch(f"drop table if exists {layout.place(table.name)}")
        known -= {*layout.statements(table, table.indexes)}

    async def commit(self, writes: Sequence[Write], hold: Hold | None = None, last: Numbered | None = None) -> None:
        """Do everything in one statement, or else in one transaction; again and again while others get in the way."""
        if last is not None:
            await self._make(dict([layout.counter(last.counter)]))
        deadline, pause = time.monotonic() + PATIENCE, 0.002
        while not await self._try(writes, hold, last, final=time.monotonic() > deadline):
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads those who collide
            pause = min(0.1, pause * 1.6)

    async def _try(self, writes: Sequence[Write], hold: Hold | None, last: Numbered | None, *, final: bool) -> bool:
        """Commit, or say that others were in the way."""
        try:
            await self._commit(writes, hold, last)
        except _LostLock:
            raise
        except Contended:
            if final:
                raise
            return False
        return True

    async def _commit(self, writes: Sequence[Write], hold: Hold | None, last: Numbered | None) -> None:
        version = random.getrandbits(62)
        before, after = commits.holding(hold), _numbering(last, version)
        groups = commits.together(writes)
        if groups is not None:
            try:
                await self._commit_at_once([*before, *(group.part(version) for group in groups), *after])
            except Refused as refused:
                if refused.held != "unique" or len(writes) == 1:  # else two rows may have handed on a value
                    raise
            else:
                return
        await self._commit_in_order([*before, *(group.part(version) for group in commits.in_order(writes)), *after])

    async def _commit_at_once(self, parts: Sequence[Part]) -> None:
        if not parts:
            return
        link = self._pool.take() or await self._pool.acquire()
        try:
            with self._meaning():
                await link.execute(*commits.statement(parts))
        finally:
            self._pool.release(link)

    async def _commit_in_order(self, parts: Sequence[Part]) -> None:
        link = await self._pool.acquire()
        try:
            with self._meaning():
                await link.begin()
                for part in parts:
                    await link.execute(*commits.statement([part]))
                await link.execute("commit")
        except Exception:
            if link.in_transaction:
                with contextlib.suppress(EngineError):
                    await link.execute("rollback")
            raise
        finally:
            self._pool.release(link)

    @contextlib.contextmanager
    def _meaning(self) -> Iterator[None]:
        """Say what a refusal of the server is about."""
        try:
            yield
        except EngineError as error:
            said = client.said(error)
            if said.state == layout.LOST:
                raise _LostLock("a lock was lost before the commit", hint="try the whole transaction again") from error
            if said.state == layout.CHANGED:
                raise Refused(said.text, "version") from error
            if isinstance(error, Conflict) and said.constraint in self._indexes:
                raise Refused(*self._indexes[said.constraint]) from error
            raise

    async def number(self, counter: str, count: int) -> int:
        """Draw numbers from a sequence, again if others drew at the same time."""
        await self._make(dict([layout.counter(counter)]))
        while True:
            (row,) = await self._pool.fetch(locks.drawing(counter), [count])
            if cast("int", row["last"]) - cast("int", row["first"]) == count - 1:
                return cast("int", row["first"])

    async def take(self, name: str, owner: str, seconds: float) -> str:
        """Take a lock, by the server's clock."""
        await self._ready()
        rows = await self._pool.fetch(locks.TAKE, [name, owner, seconds])
        return str(rows[0]["owner"]) if rows else ""

    async def renew(self, owners: Sequence[str], seconds: float) -> Sequence[str]:
        """Prolong locks, by the server's clock."""
        await self._ready()
        return [str(row["name"]) for row in await self._keeping.fetch(locks.RENEW, [[*owners], seconds])]

    async def forget(self, seconds: float) -> None:
        """Remove what ran out, by the server's clock."""
        await self._ready()
        await self._pool.fetch(locks.FORGET, [seconds])

    async def release(self, owner: str, names: Sequence[str] | None = None) -> None:
        """Remove locks."""
        await self._ready()
        await self._pool.fetch(locks.RELEASE, [owner, None if names is None else [*names]])

    async def holders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Read locks by name."""
        await self._ready()
        return _owners(await self._pool.fetch(locks.HOLDERS, [[*names]]))

    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """Read locks by the beginning of their names."""
        await self._ready()
        return _owners(await self._pool.fetch(locks.BEGINNING, [prefix, f"{prefix}\U0010ffff"]))


class _LostLock(Contended):
    """A commit without its locks, which no repetition brings back."""


async def _names(link: Link) -> set[str]:
    return {str(row["name"]) for row in await link.fetch(layout.NAMES)}


def _numbering(last: Numbered | None, version: int) -> list[Part]:
    return [] if last is None else commits.numbering(last.counter, last.make(0), version)


def _owners(rows: Sequence[Row]) -> Mapping[str, str]:
    return {str(row["name"]): str(row["owner"]) for row in rows}
