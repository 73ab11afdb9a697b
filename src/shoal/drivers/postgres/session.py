"""One transaction on PostgreSQL, in as few round trips as it allows.

A read without a lock needs no transaction at READ COMMITTED, since each of its statements sees what is committed at
that time; and writes that follow no lock are one statement, which commits itself. So BEGIN is only sent for the rest,
and no connection is held while the author's code waits for something else.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, TypeVar, cast

from shoal.drivers.base import Lent, Mark, Message, Query, Receipt, Row, Table
from shoal.drivers.postgres import receipts, shadow, sql
from shoal.drivers.postgres.client import Link
from shoal.drivers.postgres.pool import Pool
from shoal.drivers.postgres.writes import Call, Statement, Writes
from shoal.errors import EngineError

_T = TypeVar("_T")

MOST_CALLS = 32
"""So many statements of the service's own are held back at most, so that a transaction knows how long it takes."""


class _Part:
    """A part of the transaction that can fail alone."""

    __slots__ = ("failed", "held", "saved")

    def __init__(self, held: Writes, *, failed: bool) -> None:
        self.held, self.failed = held, failed
        """Writes from before it, and whether the session was of no more use then."""
        self.saved = False
        """Whether the server has a savepoint at its beginning."""


class PostgresSession:
    """A `base.Session`, and the context manager that ends it."""

    how = "begin"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._link: Link | None = None
        self._writes = Writes()
        self._parts: list[_Part] = []
        self._failed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        statements: Sequence[Statement] = ()
        if kind is None and self._link is None and not self._failed and not self._writes.before:
            statements = self._writes.statements()
            if len(statements) < 2:  # one statement commits itself
                for text, values in statements:
                    await self._commit_at_once(text, values)
                return
        try:
            if kind is None and not self._failed:
                await self._commit(statements)
        finally:
            await self._leave()
        if kind is None:
            self._require_good()

    async def get(self, table: Table, key: object, *, lock: bool = False) -> Row | None:
        """Read one row."""
        rows = await self._read(sql.get(table, lock=lock), [key], lock=lock, touched=self._touches(table, key))
        return rows[0] if rows else None

    async def find(self, table: Table, query: Query) -> Sequence[Row]:
        """Read the rows that match."""
        text, values = sql.find(table, query)
        return await self._read(text, values, lock=query.lock, touched=self._touches(table))

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count the rows that match."""
        shape, values = sql.condition(table, where)
        rows = await self._read(sql.count(table, shape), values, lock=False, touched=self._touches(table))
        return cast("int", rows[0]["count"])

    def put(self, table: Table, row: Row) -> None:
        """Write a row later."""
        self._writes.put(table, row)

    def insert(self, table: Table, row: Row) -> None:
        """Write a new row later."""
        self._writes.insert(table, row)

    def delete(self, table: Table, key: object) -> None:
        """Remove a row later."""
        self._writes.delete(table, key)

    def publish(self, message: Message) -> None:
        """Add a message to the outbox later."""
        self._writes.publish(message)

    def accept(self, mark: Mark) -> None:
        """Record a handled message later."""
        self._writes.accept(mark)

    async def claim(self, key: str) -> Receipt | None:
        """Take an advisory lock, and look for the answer once it is ours."""
        link = await self._begin()
        await self._run(link.fetch(receipts.CLAIM, [key]))
        found = await self._run(link.fetch(receipts.READ, [key]))
        return receipts.receipt(found[0]) if found else None

    def answer(self, receipt: Receipt) -> None:
        """Record the answer to a command later."""
        self._writes.answer(receipt)

    async def flush(self) -> None:
        """Send the writes held back so far."""
        if self._writes or any(part.held for part in self._parts):
            link = await self._begin()
            writes, self._writes = self._writes, Writes()
            await self._send(link, writes)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Note where the part begins; the server hears of it when the part sends a statement."""
        part = _Part(self._writes, failed=self._failed)
        self._parts.append(part)
        self._writes = Writes()
        try:
            yield
            self._require_good()
        except BaseException:
            await self._undo(part)
            raise
        self._parts.pop()
        later, self._writes = self._writes, part.held
        self._writes.absorb(later)
        if part.saved and self._link is not None:
            await self._run(self._link.execute(f"release savepoint s{len(self._parts)}"))

    async def _undo(self, part: _Part) -> None:
        """Return to the beginning of a part, if the session was good there and still can be."""
        number, link = self._parts.index(part), self._link
        del self._parts[number:]
        self._writes = part.held
        if link is None:
            self._failed = part.failed
        elif part.saved and not link.broken:
            await link.execute(f"rollback to savepoint s{number}; release savepoint s{number}")
            self._failed = part.failed
        else:  # what was written before the part failed, or the connection is gone
            self._failed = self._failed or link.broken

    async def replace(self, table: Table, twin: Table) -> None:
        """Swap the tables under a lock that readers wait for."""
        link = await self._foreign()
        await self._run(shadow.replace(link, table, twin))

    async def execute(self, sql: str, *args: object) -> None:
        """Run the service's own SQL."""
        link = await self._foreign()
        await self._run(link.execute(sql, args))

    async def execute_later(self, sql: str, *args: object) -> None:
        """Hold SQL back; many of a kind are sent without waiting for each."""
        if self._writes.call(sql, args) >= MOST_CALLS:
            await self._foreign()

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run the service's own SQL and return its rows."""
        link = await self._foreign()
        return await self._run(link.fetch(sql, args))

    async def lend(self) -> Lent:
        """Lend the connection, inside the transaction, to who speaks to it by itself until the next call here."""
        return (await self._foreign()).lend()

    def _require_good(self) -> None:
        if self._failed:
            raise EngineError(
                "the transaction was rolled back, because a statement of it had failed",
                hint="let the exception of a failed statement leave the session's block",
            )

    async def _foreign(self) -> Link:
        """Prepare for SQL of which nobody knows what it reads, writes or sets."""
        link = await self._begin()
        link.dirty = True
        await self._flush(link)
        return link

    async def _read(self, text: str, values: Sequence[object], *, lock: bool, touched: bool) -> Sequence[Row]:
        if self._link is None and not lock and not touched:
            link = await self._acquire()
            try:
                return await self._run(link.fetch(text, values))
            finally:
                self._pool.release(link)
        link = await self._begin()
        if touched:
            await self._flush(link)
        return await self._run(link.fetch(text, values))

    async def _begin(self) -> Link:
        if self._link is None:
            self._link = await self._acquire()
            await self._run(self._link.begin(self.how))
        for number, part in enumerate(self._parts):
            if not part.saved:
                await self._save(self._link, number, part)
        return self._link

    async def _save(self, link: Link, number: int, part: _Part) -> None:
        """Set a savepoint after what was written before a part."""
        await self._send(link, part.held.visible())
        await self._run(link.execute(f"savepoint s{number}"))
        part.saved = True

    def _touches(self, table: Table, key: object = None) -> bool:
        return self._writes.touch(table, key) or any(part.held.touch(table, key) for part in self._parts)

    async def _flush(self, link: Link) -> None:
        """Send what may be seen; marks of many messages then take one statement at the end."""
        await self._send(link, self._writes.visible())

    async def _send(self, link: Link, writes: Writes) -> None:
        for piece in writes.earlier():
            await self._run(self._call(link, piece) if isinstance(piece, Call) else link.execute(*piece))
        for text, values in writes.statements():
            await self._run(link.execute(text, values))

    async def _call(self, link: Link, call: Call) -> None:
        """Run SQL of the service's own, and see to it that it leaves nothing behind."""
        link.dirty = True
        if len(call.rows) > 1 and call.rows[0]:
            await link.execute_many(call.text, call.rows)
            return
        for args in call.rows:
            await link.execute(call.text, args)

    async def _commit_at_once(self, text: str, values: list[object]) -> None:
        link = self._pool.take() or await self._pool.acquire()
        try:
            await link.execute(text, values)
        finally:
            self._pool.release(link)

    async def _commit(self, statements: Sequence[Statement]) -> None:
        link = await self._begin()
        for text, values in statements:
            await self._run(link.execute(text, values))
        if not statements:
            await self._send(link, self._writes)
        await link.end("commit")

    async def _leave(self) -> None:
        """Let go of the connection, in whatever state it is."""
        link, self._link = self._link, None
        if link is None:
            return
        try:
            if link.in_transaction:
                await link.end("rollback")
        except EngineError:
            link.abort()  # the server rolls back what it hears no more of
        finally:
            self._pool.release(link)

    async def _acquire(self) -> Link:
        try:
            return await self._pool.acquire()
        except BaseException:
            self._failed = True
            raise

    async def _run(self, answer: Awaitable[_T]) -> _T:
        """Wait for an answer; after a failure the session can only be left."""
        try:
            return await answer
        except BaseException:
            self._failed = True
            raise
