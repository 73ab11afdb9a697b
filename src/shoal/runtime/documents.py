"""`Documents` as handlers see them, over a session that knows versions."""

import typing
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec

from shoal.drivers.base import Row
from shoal.drivers.base.documents.overlay import changed
from shoal.drivers.base.documents.versions import VersionedSession
from shoal.errors import EngineError, Problem
from shoal.runtime.pages import Search
from shoal.runtime.tables import RecordTable, table_of
from shoal.runtime.transaction import UnitOfWork
from shoal.service.context import Clock
from shoal.service.documents import Document, Documents, Found
from shoal.service.marks import record_mark

T = TypeVar("T")


def documents_within(kind: Any, clock: Clock, unit: UnitOfWork) -> "StoredDocuments[Any]":
    """Make what ``Documents[kind]`` is for one transaction."""
    return StoredDocuments(table_of(typing.get_args(kind)[0]), clock, unit)


class StoredDocuments(Documents[T], Generic[T]):
    """Implements `shoal.Documents`."""

    __slots__ = ("_clock", "_expires", "_mapping", "_own", "_unit")

    def __init__(self, mapping: RecordTable[T], clock: Clock, unit: UnitOfWork) -> None:
        self._mapping, self._clock, self._unit = mapping, clock, unit
        self._expires = record_mark(mapping.kind).expires
        self._own: set[str] = set()
        """Keys of those that were read without a version, since this transaction itself wrote them first."""

    @property
    def _session(self) -> VersionedSession:
        session = self._unit.session
        if not isinstance(session, VersionedSession):
            raise EngineError(
                f"{self._mapping.kind.__name__} is asked for as a document, but the store holds rows",
                hint="declare Service(..., store=MongoDB()), or take a Transaction",
            )
        return session

    async def get(self, key: object) -> Document[T] | None:
        """Read one."""
        return (await self._read([key])).get(key)

    async def require(self, key: object) -> Document[T]:
        """Read one, or answer 404."""
        found = await self.get(key)
        if found is None:
            raise Problem(404, "not-found", f"there is no {self._mapping.kind.__name__} {key}")
        return found

    async def get_many(self, keys: Sequence[object]) -> Mapping[Any, Document[T]]:
        """Read many in one request."""
        return await self._read(keys)

    async def _read(self, keys: Sequence[object]) -> dict[Any, Document[T]]:
        mapping = self._mapping
        found = await self._session.read(mapping.table, keys)
        by_key = {_spelled(one.key): one for one in found if self._lives(one.row)}
        self._own |= {key for key, one in by_key.items() if not one.version}
        return {
            key: Document(value=mapping.from_row(by_key[spelled].row), version=by_key[spelled].version)
            for key in keys
            if (spelled := _spelled(key)) in by_key
        }

    async def find(
        self, where: Mapping[str, object] | None = None, *, order: str = "", limit: int = 50, after: str = ""
    ) -> Found[T]:
        """Read a page: those of the order's last value that are left, then those behind it."""
        search = Search(self._mapping, where or {}, order, limit)
        rows: list[Row] = []
        queries, passed = search.queries(after), search.passed(after)
        for query in queries:
            rest = search.page(query, len(rows))
            if rest is not None and passed is not None and query is queries[-1]:
                rest = msgspec.structs.replace(rest, offset=await self._unit.session.count(self._mapping.table, passed))
            if rest is not None:
                rows += await self._unit.session.find(self._mapping.table, rest)
        more = len(rows) > limit
        items = [self._mapping.from_row(row) for row in rows[:limit] if self._lives(row)]
        return Found(items=items, next=search.cursor(rows[limit - 1]) if more else "")

    def put(self, value: T, *, expect: str | None = None) -> None:
        """Write one."""
        self._require_own(getattr(value, self._mapping.table.key), expect)
        if expect:
            self._unit.known(self._mapping)
            self._unit.uncommitted = True
            self._session.put_at(self._mapping.table, self._mapping.to_row(value), expect)
            self._unit.altered(self._mapping.kind, getattr(value, self._mapping.table.key))
        else:
            self._unit.put(value)

    def put_many(self, values: Sequence[T]) -> None:
        """Write many."""
        for value in values:
            self._unit.put(value)

    def insert(self, value: T) -> None:
        """Write a new one."""
        self._unit.insert(value)

    def delete(self, key: object, *, expect: str | None = None) -> None:
        """Remove one."""
        self._require_own(key, expect)
        if expect:
            self._unit.uncommitted = True
            self._session.delete_at(self._mapping.table, key, expect)
            self._unit.altered(self._mapping.kind, key)
        else:
            self._unit.delete(self._mapping.kind, key)

    def _require_own(self, key: object, expect: str | None) -> None:
        """Take an empty version for that of our own alone: callers may send one."""
        if expect == "" and _spelled(key) not in self._own:
            raise changed(self._mapping.table.name)

    @property
    def raw(self) -> Any:
        """Ask the session."""
        return self._session.raw(self._mapping.table)

    def _lives(self, row: Row) -> bool:
        until = row.get(self._expires) if self._expires else None
        return until is None or typing.cast("Any", until) > self._clock.now()


def _spelled(key: object) -> str:
    """Spell a key as one thing, whatever zone a time is in."""
    return str(key.astimezone(UTC) if isinstance(key, datetime) else key)
