"""One transaction in memory, as PostgreSQL runs it at READ COMMITTED with row locks."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from shoal.drivers.base import Mark, Message, Query, Receipt, Row, Table
from shoal.drivers.base import matching as rows
from shoal.drivers.base.documents.engine import Document
from shoal.drivers.base.documents.overlay import changed
from shoal.drivers.base.parts import SessionInParts
from shoal.drivers.memory import shadow
from shoal.drivers.memory.state import State
from shoal.errors import Conflict, Duplicate, EngineError

Write = tuple[Callable[..., Awaitable[None]], tuple[object, ...]]
"""A write held back."""


@dataclass(slots=True)
class _Done:
    """What a transaction has changed so far."""

    changes: dict[str, dict[object, Row | None]] = field(default_factory=dict)
    outbox: list[tuple[int, Message]] = field(default_factory=list)
    inbox: set[Mark] = field(default_factory=set)
    receipts: dict[str, Receipt] = field(default_factory=dict)

    def copy(self) -> "_Done":
        """Keep it as it is now."""
        changes = {name: dict(rows) for name, rows in self.changes.items()}
        return _Done(changes, [*self.outbox], {*self.inbox}, dict(self.receipts))


_Saved = tuple[_Done, frozenset[Hashable]]
"""What was done, and which rows were held."""


class MemorySession(SessionInParts[Write, _Saved]):
    """A `base.Session`, and the context manager that ends it."""

    WITHOUT_SQL = "is in memory"
    INSTEAD = "test this code on postgres, or use find and put"

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state
        self._done = _Done()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and not self._failed:
                await self.flush()
                done = self._done
                self._state.commit(done.changes, done.outbox, done.inbox, done.receipts)
        finally:
            self._state.locks.leave(self)
        if kind is None:
            self._require_good()

    async def get(self, table: Table, key: object, *, lock: bool = False) -> Row | None:
        """Read one row; one that does not exist is not held, and keeps nobody waiting."""
        await self.flush()
        if lock and self._seen(table, rows.identity(key)) is not None:
            await self._hold((table.name, rows.identity(key)))
        row = self._seen(table, rows.identity(key))
        return _whole(table, row) if row is not None else None

    async def find(self, table: Table, query: Query) -> Sequence[Row]:
        """Read the rows that match; locked ones are looked at again once they are held."""
        await self.flush()
        rows.require(table, rows.columns(query))
        matching = self._matching(table, query)
        if query.lock and query.skip_locked:
            matching = [row for row in matching if self._state.locks.free(_place(table, row), self)]
        found = rows.arrange(table, query, matching)
        if query.lock:
            for row in rows.sort(table, (), found):
                await self._hold(_place(table, row))
            again = [self._seen(table, rows.identity(row[table.key])) for row in found]
            kept = [row for row in again if row is not None and rows.matches(row, query)]
            found = rows.sort(table, query.order, kept)
        return [_whole(table, row) for row in found]

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count the rows that match."""
        await self.flush()
        rows.require(table, where)
        return len(self._matching(table, Query(where=where)))

    def put(self, table: Table, row: Row) -> None:
        """Write a row later."""
        rows.require(table, row)
        self._waiting.append((self._put, (table, dict(row))))

    def insert(self, table: Table, row: Row) -> None:
        """Write a new row later."""
        rows.require(table, row)
        self._waiting.append((self._insert, (table, dict(row))))

    def delete(self, table: Table, key: object) -> None:
        """Remove a row later."""
        self._waiting.append((self._delete, (table, rows.identity(key))))

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read rows with their versions."""
        await self.flush()
        wanted = dict.fromkeys(rows.identity(key) for key in keys)
        found = [(key, self._seen(table, key)) for key in wanted]
        versions = self._state.versions
        return [
            Document(key=key, version=versions.get((table.name, key), ""), row=_whole(table, row))
            for key, row in found
            if row is not None
        ]

    def put_at(self, table: Table, row: Row, version: str) -> None:
        """Replace a row later, if it has this version."""
        rows.require(table, row)
        self._waiting.append((self._expect, (table, rows.identity(row.get(table.key)), version)))
        self.put(table, row)

    def delete_at(self, table: Table, key: object, version: str) -> None:
        """Remove a row later, if it has this version."""
        self._waiting.append((self._expect, (table, rows.identity(key), version)))
        self.delete(table, key)

    def raw(self, table: Table) -> Any:
        """Return the committed rows by key."""
        return self._state.tables.get(table.name, {})

    def publish(self, message: Message) -> None:
        """Add a message to the outbox later."""
        self._waiting.append((self._publish, (message,)))

    def accept(self, mark: Mark) -> None:
        """Record a handled message later."""
        self._waiting.append((self._accept, (mark,)))

    async def claim(self, key: str) -> Receipt | None:
        """Hold the key, and look for its answer once it is ours."""
        await self.flush()
        await self._hold(("shoal.claims", key))
        return self._done.receipts.get(key) or self._state.receipts.get(key)

    def answer(self, receipt: Receipt) -> None:
        """Record the answer to a command later."""
        self._waiting.append((self._answer, (receipt,)))

    async def _make(self, held: Sequence[Write]) -> None:
        """Make writes, waiting for the rows they need."""
        for write, args in held:
            await write(*args)

    def _save(self) -> _Saved:
        return self._done.copy(), self._state.locks.held(self)

    async def _return_to(self, saved: _Saved) -> None:
        self._done, held = saved
        self._state.locks.leave(self, held)

    async def replace(self, table: Table, twin: Table) -> None:
        """Change every row to those of the twin."""
        await self.flush()
        shadow.replace(self._state, self._done.changes, table, twin)

    async def _expect(self, table: Table, key: object, version: str) -> None:
        await self._hold((table.name, key))
        if self._state.versions.get((table.name, key)) != version:
            raise changed(table.name)

    async def _put(self, table: Table, row: Row) -> None:
        key = await self._own(table, row)
        await self._claim(table, key, row)
        self._change(table, key, row)

    async def _insert(self, table: Table, row: Row) -> None:
        key = await self._own(table, row)
        if self._seen(table, key) is not None:
            raise Conflict(f"a row of table {table.name} with this key exists: unique constraint {table.key}")
        await self._claim(table, key, row)
        self._change(table, key, row)

    async def _delete(self, table: Table, key: object) -> None:
        await self._hold((table.name, key))
        await self._claim(table, key, {})
        self._done.changes.setdefault(table.name, {})[key] = None

    async def _publish(self, message: Message) -> None:
        self._done.outbox.append((self._state.next_position(), message))

    async def _accept(self, mark: Mark) -> None:
        await self._hold(("shoal.inbox", mark.consumer, mark.message_id, mark.at))
        if mark in self._done.inbox or mark in self._state.inbox:
            raise Duplicate("this message was already handled")
        self._done.inbox.add(mark)

    async def _answer(self, receipt: Receipt) -> None:
        await self._hold(("shoal.receipts", receipt.key))
        if receipt.key in self._done.receipts or receipt.key in self._state.receipts:
            raise Duplicate("this key already has an answer")
        self._done.receipts[receipt.key] = receipt

    async def _own(self, table: Table, row: Row) -> object:
        """Hold the row of this key."""
        key = rows.identity(row.get(table.key))
        if key is None:
            raise EngineError(f"a row of table {table.name} has no {table.key}", hint="choose its key yourself")
        await self._hold((table.name, key))
        return key

    async def _claim(self, table: Table, key: object, row: Row) -> None:
        """Hold the unique values that the row gives up and takes; refuse one that another row has."""
        before = self._seen(table, key) or {}
        for column in sorted(table.unique):
            for value in {rows.identity(before.get(column)), rows.identity(row.get(column))} - {None}:
                await self._hold((table.name, column, value))
        for column in sorted(table.unique):
            value = row.get(column)
            others = [] if value is None else self._matching(table, Query(where={column: value}))
            if any(rows.identity(other[table.key]) != key for other in others):
                raise Conflict(f"a row of table {table.name} has this {column}: unique constraint {column}")

    async def _hold(self, row: tuple[object, ...]) -> None:
        try:
            await self._state.locks.take(row, self)
        except BaseException:
            self._failed = True
            raise

    def _change(self, table: Table, key: object, row: Row) -> None:
        self._done.changes.setdefault(table.name, {})[key] = _whole(table, row)

    def _seen(self, table: Table, key: object) -> Row | None:
        changed = self._done.changes.get(table.name, {})
        return changed[key] if key in changed else self._state.tables.get(table.name, {}).get(key)

    def _matching(self, table: Table, query: Query) -> list[Row]:
        view = {**self._state.tables.get(table.name, {}), **self._done.changes.get(table.name, {})}
        return [row for row in view.values() if row is not None and rows.matches(row, query)]


def _place(table: Table, row: Row) -> tuple[object, ...]:
    """Name a row for others to wait for."""
    return (table.name, rows.identity(row[table.key]))


def _whole(table: Table, row: Row) -> Row:
    """Give a row every column, also those that its table got after it was written."""
    return {column: row.get(column) for column in table.columns}
