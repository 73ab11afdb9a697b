"""What the audits that a system declares may read."""

from collections.abc import Sequence
from typing import Any, TypeVar

from shoal.audit.operations import answered
from shoal.audit.subject import Subject
from shoal.drivers.base import Query
from shoal.errors import DeclarationError, Unavailable
from shoal.runtime.aggregates import Aggregates
from shoal.runtime.clock import SystemClock
from shoal.runtime.tables import table_of
from shoal.service.audit import Answer, Operation

T = TypeVar("T")

PAGE = 5000
"""Records read at a time."""


class Reading:
    """A `service.audit.Evidence`."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._read: dict[tuple[str, type], Sequence[Any]] = {}

    @property
    def operations(self) -> Sequence[Operation]:
        """Give what clients say they did."""
        return self._subject.operations

    async def records(self, service: str, kind: type[T]) -> Sequence[T]:
        """Read a table page by page; once, whichever audits ask for it."""
        if (service, kind) not in self._read:
            self._read[service, kind] = await self._all(service, kind)
        return self._read[service, kind]

    async def ask(self, external: str, path: str) -> Any:
        """Ask the stand-in."""
        if external not in self._subject.externals:
            raise Unavailable(f"there is no stand-in for {external} here", hint="run the system with `shoal run`")
        return await self._subject.externals[external](path)

    async def answered(self, operation: Operation) -> Answer | None:
        """Look up a receipt."""
        return await answered(self._subject, operation)

    async def _all(self, service: str, kind: type[T]) -> Sequence[T]:
        store = self._subject.stores.get(service)
        if store is None:
            raise DeclarationError(
                f"an audit asks for {kind.__name__} of {service!r}, which has no store",
                hint=f"stores have: {', '.join(sorted(self._subject.stores))}",
            )
        if hasattr(kind, "__shoal_aggregate__"):
            async with store.session() as session:
                return [state async for state, _ in Aggregates(session, SystemClock()).fold(kind)]
        records, table = table_of(kind), table_of(kind).table
        if table.personal and service in self._subject.sealed:
            raise Unavailable(f"{kind.__name__} of {service} stays sealed: {self._subject.sealed[service]}")
        found: list[T] = []
        query = Query(order=(table.key,), limit=PAGE)
        async with store.session() as session:
            while page := await session.find(table, query):
                found += [records.from_row(row) for row in page]
                query = Query(order=(table.key,), limit=PAGE, above={table.key: page[-1][table.key]})
        return found
