"""One transaction over documents: reads what is committed, holds its changes back, and commits them in one step.

No transaction of the engine is open meanwhile, so none is broken off because somebody else wrote; the one that commits
is short, and can be tried again since everything is known.
"""

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import msgspec

from shoal.drivers.base import Mark, Message, Query, Receipt, Row, Table, matching
from shoal.drivers.base.documents import locks, overlay, places, tables
from shoal.drivers.base.documents.engine import Document, Hold, Numbered, Refused
from shoal.drivers.base.documents.ground import Ground
from shoal.drivers.base.documents.overlay import Overlay
from shoal.drivers.base.documents.places import Standing
from shoal.drivers.base.parts import SessionInParts
from shoal.errors import EngineError

_SPARE = 16
"""Rows that are read beyond those wanted, where others may hold some."""

Held = Callable[[Overlay], None]
"""A write held back."""


class DocumentSession(SessionInParts[Held, Overlay]):
    """A `base.Session`, and the context manager that ends it."""

    WITHOUT_SQL = "holds documents"
    INSTEAD = "use find and put, or keep this service on postgres"

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self._ground, self._engine = ground, ground.engine
        self._name = uuid.uuid4().hex
        self._done = Overlay()
        self._stood: dict[str, Standing] = {}
        """Where tables were when they were read under a lock."""
        self._asked = False
        """Whether a lock was ever asked for."""
        self._stray = False
        """Whether one may be held that we do not know of, since nobody heard the answer."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        committed = False
        try:
            if kind is None and not self._failed:
                await self._commit()
                committed = True
        finally:
            await self._let_go(committed=committed)
        if kind is None:
            self._require_good()

    async def get(self, table: Table, key: object, *, lock: bool = False) -> Row | None:
        """Read one row; one that does not exist is not held, and keeps nobody waiting."""
        await self._apply()
        key = matching.identity(key)
        found = await self._read(table, key)
        if not lock or found is None:
            return found
        await self._take(overlay.place(table, key))
        return await self._read(table, key, locked=True)

    async def find(self, table: Table, query: Query) -> Sequence[Row]:
        """Read the rows that match; locked ones are looked at again once they are held."""
        await self._apply()
        matching.require(table, matching.columns(query))
        if query.lock and query.skip_locked:
            return await self._find_free(table, query)
        rows = await self._find(table, query)
        if not query.lock:
            return rows
        for row in matching.sort(table, (), rows):
            await self._take(overlay.place(table, matching.identity(row[table.key])))
        return matching.sort(table, query.order, await self._again(table, query, rows))

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count the rows that match."""
        await self._apply()
        matching.require(table, where)
        if not self._done.of(table):
            return await self._ground.count(await self._here(table), where)
        return len(await self._find(table, Query(where=where)))

    def put(self, table: Table, row: Row) -> None:
        """Write a row later."""
        matching.require(table, row)
        self._waiting.append(lambda done, row=dict(row): done.put(table, row))  # type: ignore[misc]

    def insert(self, table: Table, row: Row) -> None:
        """Write a new row later."""
        matching.require(table, row)
        self._waiting.append(lambda done, row=dict(row): done.insert(table, row))  # type: ignore[misc]

    def delete(self, table: Table, key: object) -> None:
        """Remove a row later."""
        self._waiting.append(lambda done: done.delete(table, key))

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read documents with their versions, in one request."""
        await self._apply()
        wanted = dict.fromkeys(matching.identity(key) for key in keys)
        changes = self._done.of(table)
        versions = {key: self._done.versions.get((table.name, key), "") for key in wanted}
        own = [(key, changes[key].row) for key in wanted if key in changes]
        with self._failing():
            rest = [key for key in wanted if key not in changes]
            found = await self._ground.read(await self._here(table), rest) if rest else ()
        return [
            *(Document(key=key, version=versions[key], row=row) for key, row in own if row is not None),
            *(msgspec.structs.replace(one, row=overlay.whole(table, one.row)) for one in found),
        ]

    def put_at(self, table: Table, row: Row, version: str) -> None:
        """Replace a row later, if it has this version."""
        matching.require(table, row)
        key = matching.identity(row.get(table.key))
        self._waiting.append(lambda done: done.expect(table, key, version))
        self.put(table, row)

    def delete_at(self, table: Table, key: object, version: str) -> None:
        """Remove a row later, if it has this version."""
        self._waiting.append(lambda done: done.expect(table, matching.identity(key), version))
        self.delete(table, key)

    def raw(self, table: Table) -> Any:
        """Ask the engine for what its client calls the table, if that is for ever."""
        if table.moves:
            raise EngineError(
                f"{table.name} is a read model, which is elsewhere after a rebuild",
                hint="read it through `Transaction`",
            )
        return self._engine.raw(table)

    def publish(self, message: Message) -> None:
        """Add a message to the outbox later."""
        self._waiting.append(lambda done: done.publish(message))

    def accept(self, mark: Mark) -> None:
        """Record a handled message later."""
        self._waiting.append(lambda done: done.accept(mark))

    async def claim(self, key: str) -> Receipt | None:
        """Hold the key, and look for its answer once it is ours."""
        await self._apply()
        await self._take(f"claim {key}")
        if key in self._done.receipts:
            return self._done.receipts[key]
        found = await self._engine.read(tables.RECEIPTS, [key])
        return tables.receipt(found[0].row) if found else None

    def answer(self, receipt: Receipt) -> None:
        """Record the answer to a command later."""
        self._waiting.append(lambda done: done.answer(receipt))

    async def _make(self, held: Sequence[Held]) -> None:
        """Lay writes over what is committed."""
        for write in held:
            write(self._done)

    async def _apply(self) -> None:
        """Let a read see what was written; what the engine says to it is asked by `flush`, and with the commit."""
        await super().flush()

    async def flush(self) -> None:
        """Look whether the engine contradicts what was held back so far, and wait for who holds its rows."""
        await self._apply()
        if self._done.doubtful:
            with self._failing():
                await self._settle()

    async def _settle(self) -> None:
        doubtful, self._done.doubtful = self._done.doubtful, []
        by_table: dict[str, tuple[Table, list[object]]] = {}
        for table, key in doubtful:
            by_table.setdefault(table.name, (table, []))[1].append(key)
        for table, keys in by_table.values():
            await self._doubt(table, keys)

    async def _doubt(self, table: Table, keys: Sequence[object]) -> None:
        changes = self._done.of(table)
        new = [key for key in keys if key not in changes or changes[key].new]
        if new and await self._ground.read(await self._here(table), new):
            raise overlay.contradiction(table.name, table)
        await self._require_unique(table, keys)
        blind = [overlay.place(table, key) for key in keys if key in changes and not changes[key].new]
        if blind := [name for name in blind if name not in self._done.locks]:
            await locks.free(self._engine, blind, self._name, holding=bool(self._done.locks))

    async def _require_unique(self, table: Table, keys: Sequence[object]) -> None:
        changes = self._done.of(table)
        for column in sorted(table.unique):
            asked = {*keys}
            rows = [change.row for key, change in changes.items() if key in asked and change.row is not None]
            values = tuple(row[column] for row in rows if row[column] is not None)
            if values:
                found = await self._find(table, Query(where={column: values}))
                if len({matching.identity(row[column]) for row in found}) < len(found):
                    raise overlay.shared(table, column)

    def _save(self) -> Overlay:
        return self._done.copy()

    async def _return_to(self, saved: Overlay) -> None:
        gone = self._done.locks - saved.locks
        self._done = saved
        if gone:
            with contextlib.suppress(EngineError):  # they run out by themselves
                await self._engine.release(self._name, sorted(gone))

    async def replace(self, table: Table, twin: Table) -> None:
        """Say with the commit that the table is where its twin is."""
        await self._apply()
        with self._failing():
            self._done.replace(places.swap(await self._ground.look(table), twin))

    async def _commit(self) -> None:
        for part in self._parts:
            self._waiting = part.held + self._waiting
        for write in self._waiting:
            write(self._done)
        self._waiting = []
        done = self._done
        if done.empty and not done.locks:
            return
        blind = [table for table, changes in done.changes.items() if any(not change.new for change in changes.values())]
        if blind and done.doubtful:
            await self._settle()
        for changes in done.changes.values():
            for change in changes.values():
                await self._ground.declare(change.table)
        at, hold, last = self._ground.now(), None, None
        if done.locks:
            hold = Hold(owner=self._name, freed=tuple(sorted(done.locks)))
        if done.messages:
            last = Numbered(counter="outbox", count=len(done.messages), make=lambda first: done.entries(first, at))
        try:
            await self._ground.commit([*done.writes(at)], hold, last, [*done.swaps.values()], [*self._stood.values()])
        except Refused as refused:
            raise done.error(refused) from refused

    async def _let_go(self, *, committed: bool) -> None:
        if not self._asked:
            return
        self._ground.keeper.drop(self._name)
        self._ground.turns.freed(self._done.locks)
        if not committed or self._stray:
            with contextlib.suppress(EngineError):  # they run out by themselves
                await self._engine.release(self._name)

    async def _take(self, name: str) -> None:
        if name in self._done.locks:
            return
        await self._ground.turns.give(name)
        self._asked = True
        try:
            await locks.take(self._engine, name, self._name, holding=bool(self._done.locks))
        except BaseException:
            self._failed = self._stray = True
            raise
        self._done.locks |= {name}
        self._ground.keeper.keep(self._name)

    async def _read(self, table: Table, key: object, *, locked: bool = False) -> Row | None:
        change = self._done.of(table).get(key)
        if change is not None and not locked:
            return change.row
        with self._failing():
            found = await self._ground.read(await self._here(table), [key])
        if locked:
            self._note(table, found)
        if change is not None:
            return change.row
        return overlay.whole(table, found[0].row) if found else None

    async def _here(self, table: Table) -> Table:
        """Say where to read a table that moves: a session with locks looks once, and its commit demands the same."""
        if not table.moves or not self._done.locks:
            return table
        if table.name not in self._stood:
            self._stood[table.name] = await self._ground.look(table)
        return self._stood[table.name].here

    def _note(self, table: Table, found: Sequence[Document]) -> None:
        for one in found:
            self._done.versions.setdefault((table.name, matching.identity(one.key)), one.version)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """After an error of the engine the session can only be left."""
        try:
            yield
        except BaseException:
            self._failed = True
            raise

    async def _find(self, table: Table, query: Query) -> list[Row]:
        with self._failing():
            found = await self._ground.search(await self._here(table), self._done.wider(table, query))
        return self._done.arrange(table, query, found)

    async def _find_free(self, table: Table, query: Query) -> list[Row]:
        """Take the first rows that nobody holds; who comes at the same time gets others."""
        free: list[Row] = []
        wanted = None if query.limit is None else query.offset + query.limit
        seen, page = 0, None if wanted is None else 2 * wanted + _SPARE
        while True:
            some = msgspec.structs.replace(query, lock=False, skip_locked=False, limit=page, offset=seen)
            rows = await self._find(table, some)
            for row in rows:
                if wanted is not None and len(free) >= wanted:
                    return free[query.offset :]
                free += await self._if_free(table, query, row)
            if page is None or len(rows) < page:
                return free[query.offset :]
            seen += len(rows)

    async def _if_free(self, table: Table, query: Query, row: Row) -> list[Row]:
        name = overlay.place(table, matching.identity(row[table.key]))
        self._asked = True
        try:
            if name not in self._done.locks and not await locks.try_take(self._engine, name, self._name):
                return []
        except BaseException:
            self._failed = self._stray = True
            raise
        self._done.locks |= {name}
        self._ground.keeper.keep(self._name)
        return await self._again(table, query, [row])

    async def _again(self, table: Table, query: Query, rows: Sequence[Row]) -> list[Row]:
        keys = [matching.identity(row[table.key]) for row in rows]
        found = await self._ground.read(await self._here(table), keys) if keys else []
        self._note(table, found)
        kept = msgspec.structs.replace(query, order=(), limit=None, offset=0)
        committed = {matching.identity(one.key): overlay.whole(table, one.row) for one in found}
        changes = self._done.of(table)
        seen = [changes[key].row if key in changes else committed.get(key) for key in keys]
        return [row for row in seen if row is not None and matching.matches(row, kept)]
