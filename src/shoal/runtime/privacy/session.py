"""A store whose personal columns are sealed on their way in and unsealed on their way out.

Writing cannot wait, and a key may have to be read or made first. So from the first personal write on, writes are held
back, in their order, until the next read, `flush` or the commit.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self, cast

import msgspec

from shoal.drivers.base import Mark, Message, PersonalColumn, Query, Reads, Receipt, Row, Session, Store, Table
from shoal.drivers.base.documents.engine import Document
from shoal.drivers.base.documents.versions import VersionedSession
from shoal.errors import ShoalError
from shoal.runtime.privacy import receipts, sealed
from shoal.runtime.privacy.opening import Opens
from shoal.runtime.privacy.tables import ERASED, RECORDS
from shoal.runtime.privacy.vault import DataKey, Need, Vault, sealing, unsealing

BLANKED = 20
"""Rows of a table without hashes in which an erasure leaves nothing sealed."""

Keys = Mapping[Need, DataKey | None]


class SealedStore:
    """A `Store` before a service's own; hands on all but sessions."""

    def __init__(self, inner: Store, vault: Vault, owner: str, opener: Opens, tables: Sequence[Table] = ()) -> None:
        self.inner, self.vault, self.opener, self.owner = inner, vault, opener, owner
        self.tables = tables

    @classmethod
    def of(cls, inner: Store, vault: Vault, owner: str, opener: Opens, tables: Sequence[Table]) -> Store:
        """Put one before a store; `tables` are those with personal columns."""
        return cast("Store", cls(inner, vault, owner, opener, tables))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def receipt(self, key: str) -> Receipt | None:
        """Read the recorded answer to an idempotent command."""
        found = await self.inner.receipt(key)
        if found is None or not receipts.is_sealed(found):
            return found
        async with self.inner.session() as session:
            return await receipts.unsealed_receipt(self.owner, found, self.vault, session)

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Begin a transaction."""
        return cast("AbstractAsyncContextManager[Session]", self._sealed(self.inner.session()))

    def reads(self) -> AbstractAsyncContextManager[Reads]:
        """Begin to read; a key lies where what it seals does, so one that reads both in turn finds it.

        What is read is not remembered: a copy that lags may have a key whose person was erased meanwhile.
        """
        sealed = self._sealed(cast("AbstractAsyncContextManager[Session]", self.inner.reads()))
        sealed.remembers = False
        return cast("AbstractAsyncContextManager[Reads]", sealed)

    def _sealed(self, around: AbstractAsyncContextManager[Session]) -> "SealedSession":
        return SealedDocuments(around, self) if hasattr(around, "put_at") else SealedSession(around, self)


class SealedSession:
    """Implements `Session` before another."""

    def __init__(self, around: AbstractAsyncContextManager[Session], store: SealedStore) -> None:
        self._around, self._vault, self._owner = around, store.vault, store.owner
        self._opener, self._tables = store.opener, store.tables
        self._inner = cast("Session", None)
        self._held: list[tuple[Sequence[Need], Callable[[Keys], None]]] = []
        self._sure: set[Need] = set()
        self._made: dict[Need, DataKey] = {}
        self._erased: list[str] = []
        self._began = self._vault.now()
        self.remembers = True
        """Whether keys that are read here are current, and so are remembered for others."""
        self._keeps = False
        """Whether keys were made or kept here, which somebody's wrapping key must outlive."""

    @property
    def opener(self) -> Opens:
        """What unseals events within this transaction."""
        return self

    async def open(self, events: Sequence[tuple[str, bytes]], within: Session | None = None) -> list[bytes]:
        """Unseal the data of some events; keys that are borrowed are kept with the commit."""
        await self._settle()
        self._keeps = True
        return await self._opener.open(events, within or self._inner)

    async def __aenter__(self) -> Self:
        self._inner = await self._around.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is not None:
            return await self._around.__aexit__(kind, error, trace)
        try:
            await self._settle()
            if self._keeps or self._made:
                self._vault.timely(self._began)
        except BaseException as failure:
            await self._around.__aexit__(type(failure), failure, failure.__traceback__)
            raise
        await self._around.__aexit__(None, None, None)
        self._vault.committed(self._made)
        for subject in self._erased:
            self._vault.forget(subject)
        return None

    async def _settle(self) -> None:
        """Find or make the keys that are needed, and do what was held back."""
        if not self._held:
            return
        held, self._held = self._held, []
        sure, self._sure = self._sure, set()
        needs = [need for wanted, _ in held for need in wanted if need[0] not in self._erased]
        keys: dict[Need, DataKey | None] = {need: None for wanted, _ in held for need in wanted}
        keys |= await self._vault.for_sealing(self._inner, needs, self._made, sure)
        for _, act in held:
            act(keys)

    def _do(self, act: Callable[[], None]) -> None:
        """Write at once, or after what is held back."""
        if self._held:
            self._held.append(((), lambda _: act()))
        else:
            act()

    def hold(self, needs: Sequence[Need], act: Callable[[Session, Keys], None]) -> None:
        """Write something that needs keys; `act` is called with them before the next read, or the commit."""
        self._held.append((needs, lambda keys: act(self._inner, keys)))

    async def erase(self, person: str) -> tuple[int, int]:
        """Remove a person's keys with the commit, and what is sealed of them in records; return how many of each."""
        await self._settle()
        self._erased.append(person)
        self._made = {need: key for need, key in self._made.items() if need[0] != person}
        keys = await self._vault.erase(self._inner, person)
        return keys, sum([await self._blank(table, person) for table in self._tables])

    async def _blank(self, table: Table, person: str) -> int:
        """Leave nothing sealed, and no hash, in the rows that say something of a person; return how many there are.

        Rows are found first and then held all at once, in the order of their keys, as everybody holds them. Hashes
        must go. What is only sealed is unreadable anyway, so that beyond `BLANKED` rows it stays as it is: one commit
        takes only so much.
        """
        found: dict[object, None] = {}
        limit = None if any(column.find for column in table.personal) else BLANKED
        for of in dict.fromkeys(column.of for column in table.personal):
            rows = await self._inner.find(table, Query(where={of: person}, limit=limit))
            found |= dict.fromkeys(row[table.key] for row in rows)
        if not found:
            return 0
        rows = await self._inner.find(table, Query(where={table.key: tuple(found)}, lock=True))
        for row in rows:
            changed = dict(row)
            for column in [column for column in table.personal if row[column.of] == person]:
                changed[column.name] = None if row[column.name] is None else sealed.GONE
                changed |= {column.find: None} if column.find else {}
            self._inner.put(table, changed)
        return len(rows)

    async def get(self, table: Table, key: object, *, lock: bool = False) -> Row | None:
        """Read one row."""
        await self._settle()
        row = await self._inner.get(table, key, lock=lock)
        return row if row is None or not table.personal else (await self._unsealed(table, [row]))[0]

    async def find(self, table: Table, query: Query) -> Sequence[Row]:
        """Read the rows that match."""
        await self._settle()
        if not table.personal:
            return await self._inner.find(table, query)
        names = {column.name for column in table.personal}
        for name in (*(o.lstrip("-") for o in query.order), *query.above, *query.below, *query.at_most):
            if name in names:
                raise _unordered(table, name)
        asked = (
            query
            if not names & query.where.keys()
            else msgspec.structs.replace(query, where=self._where(table, query.where))
        )
        return await self._unsealed(table, await self._inner.find(table, asked))

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count the rows that match."""
        await self._settle()
        return await self._inner.count(table, self._where(table, where) if table.personal else where)

    def put(self, table: Table, row: Row) -> None:
        """Write a row."""
        if table.personal:
            self._seal(table, row, lambda inner, sealed_: inner.put(table, sealed_))
        else:
            self._do(lambda: self._inner.put(table, row))

    def insert(self, table: Table, row: Row) -> None:
        """Write a new row."""
        if table.personal:
            self._seal(table, row, lambda inner, sealed_: inner.insert(table, sealed_))
        else:
            self._do(lambda: self._inner.insert(table, row))

    def delete(self, table: Table, key: object) -> None:
        """Remove a row."""
        self._do(lambda: self._inner.delete(table, key))

    def publish(self, message: Message) -> None:
        """Add a message to the outbox."""
        self._do(lambda: self._inner.publish(message))

    def accept(self, mark: Mark) -> None:
        """Record that a consumer handled a message."""
        self._do(lambda: self._inner.accept(mark))

    async def claim(self, key: str) -> Receipt | None:
        """Claim a key."""
        await self._settle()
        return await receipts.unsealed_receipt(self._owner, await self._inner.claim(key), self._vault, self._inner)

    def answer(self, receipt: Receipt) -> None:
        """Record the answer to an idempotent command; what it says is its caller's own."""
        needs = receipts.needs(receipt)
        if needs:
            self.hold(needs, lambda inner, keys: inner.answer(receipts.sealed_receipt(self._owner, receipt, keys)))
        else:
            self._do(lambda: self._inner.answer(receipt))

    async def flush(self) -> None:
        """Send the writes held back so far."""
        await self._settle()
        await self._inner.flush()

    async def replace(self, table: Table, twin: Table) -> None:
        """Let a twin take the place of a table; who was erased while it was filled leaves no hash in it."""
        await self._settle()
        if any(column.find for column in twin.personal):
            for row in await self._inner.find(ERASED.table, Query()):
                await self._blank(twin, str(row["subject"]))
        await self._inner.replace(table, twin)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Begin a part of the transaction that can fail alone; a key that it made goes with it."""
        await self._settle()
        made, erased = dict(self._made), list(self._erased)
        try:
            async with self._inner.savepoint():
                yield
                await self._settle()
        except BaseException:
            self._held, self._sure, self._made, self._erased = [], set(), made, erased
            raise

    async def execute(self, sql: str, *args: object) -> None:
        """Run SQL."""
        await self._settle()
        await self._inner.execute(sql, *args)

    async def execute_later(self, sql: str, *args: object) -> None:
        """Run SQL later."""
        await self._settle()
        await self._inner.execute_later(sql, *args)

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run SQL that returns rows; what is sealed in them stays so."""
        await self._settle()
        return await self._inner.fetch(sql, *args)

    def _seal(self, table: Table, row: Row, write: Callable[[Session, Row], None]) -> None:
        needs = [(str(row[column.of]), RECORDS) for column in table.personal if row.get(column.name) is not None]

        if any(column.find for column in table.personal):  # a hash does not end with its key
            self._sure.update(needs)

        def act(inner: Session, keys: Keys) -> None:
            write(inner, {**row, **{k: v for column in table.personal for k, v in self._cells(column, row, keys)}})

        self.hold(needs, act)

    def _cells(self, column: PersonalColumn, row: Row, keys: Keys) -> list[tuple[str, object]]:
        """Seal one value, and hash it where it is to be found; nothing of an erased person is written."""
        value = row[column.name]
        key = None if value is None else keys[str(row[column.of]), RECORDS]
        text = sealing(self._owner, column.place, key, value) if key else None if value is None else sealed.GONE
        cells: list[tuple[str, object]] = [(column.name, text)]
        if column.find:
            cells.append((column.find, self._hashed(column, value) if key else None))
        return cells

    def _hashed(self, column: PersonalColumn, value: object) -> str:
        return self._vault.hashed(column.place, column.spelled(value) if column.spelled else value)

    def _where(self, table: Table, where: Mapping[str, object]) -> dict[str, object]:
        """Look for hashes in the place of values."""
        columns, found = {column.name: column for column in table.personal}, dict(where)
        for name in [name for name in where if name in columns]:
            column, value = columns[name], found.pop(name)
            if value is None:
                found[name] = None
                continue
            if not column.find:
                raise _unordered(table, name)
            many = isinstance(value, tuple | list)
            found[column.find] = (
                tuple(self._hashed(column, v) for v in cast("Sequence[object]", value))
                if many
                else self._hashed(column, value)
            )
        return found

    async def _unsealed(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        texts = [str(row[c.name]) for row in rows for c in table.personal if sealed.is_sealed(row.get(c.name))]
        ids = [found.key for text in texts if (found := sealed.read(text)) is not None]
        keys = await self._vault.for_reading(self._inner, ids, self._made, remember=self.remembers) if ids else {}
        return [self._opened(table, row, keys) for row in rows]

    def _opened(self, table: Table, row: Row, keys: Mapping[str, DataKey]) -> Row:
        found = dict(row)
        for column in table.personal:
            value = row.get(column.name)
            if sealed.is_sealed(value):
                found[column.name] = unsealing(self._owner, column.place, keys, str(value), column.erased)
        return found


class SealedDocuments(SealedSession):
    """A session of a store whose rows have versions."""

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read rows with their versions."""
        await self._settle()
        found = await self._versioned.read(table, keys)
        if not table.personal:
            return found
        rows = await self._unsealed(table, [one.row for one in found])
        return [msgspec.structs.replace(one, row=row) for one, row in zip(found, rows, strict=True)]

    def put_at(self, table: Table, row: Row, version: str) -> None:
        """Replace a row, if it has this version."""
        if table.personal:
            self._seal(table, row, lambda _, sealed_: self._versioned.put_at(table, sealed_, version))
        else:
            self._do(lambda: self._versioned.put_at(table, row, version))

    def delete_at(self, table: Table, key: object, version: str) -> None:
        """Remove a row, if it has this version."""
        self._do(lambda: self._versioned.delete_at(table, key, version))

    def raw(self, table: Table) -> Any:
        """Ask for what the engine's client calls the table; what is sealed in it stays so."""
        return self._versioned.raw(table)

    @property
    def _versioned(self) -> VersionedSession:
        return cast("VersionedSession", self._inner)


def _unordered(table: Table, name: str) -> ShoalError:
    return ShoalError(
        f"{table.name} cannot be searched or ordered by {name}, which is personal: the store holds only ciphertext",
        hint="to find equal values, declare it with personal(find=True)",
    )
