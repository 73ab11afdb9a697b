"""`ReadReplica` as handlers see it: each question is read on its own, outside of every transaction."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from shoal.drivers.base import Session, Store
from shoal.runtime.transaction import Announcer, UnitOfWork

T = TypeVar("T")


class Replica:
    """Implements `shoal.ReadReplica`."""

    def __init__(self, store: Store, announcer: Announcer) -> None:
        self._store, self._announcer = store, announcer

    async def get(self, kind: type[T], key: object) -> T | None:
        """Read one record."""
        async with self._reading() as unit:
            return await unit.get(kind, key)

    async def require(self, kind: type[T], key: object) -> T:
        """Read one record, or answer 404."""
        async with self._reading() as unit:
            return await unit.require(kind, key)

    async def find(
        self,
        kind: type[T],
        where: Mapping[str, object] | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[T]:
        """Read the records that match."""
        async with self._reading() as unit:
            return await unit.find(kind, where, order=order, limit=limit, offset=offset)

    async def count(self, kind: type[Any], where: Mapping[str, object] | None = None) -> int:
        """Count the records that match."""
        async with self._reading() as unit:
            return await unit.count(kind, where)

    async def fetch(self, kind: type[T], sql: str, *args: object) -> list[T]:
        """Run the service's own SQL."""
        async with self._reading() as unit:
            return await unit.fetch(kind, sql, *args)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[UnitOfWork]:
        async with self._store.reads() as reads:
            yield UnitOfWork(cast("Session", reads), self._announcer)
