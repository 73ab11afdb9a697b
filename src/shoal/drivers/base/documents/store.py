"""A whole store on an engine of documents."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

from shoal.drivers.base import (
    Announced,
    Backlog,
    Lease,
    Mark,
    Migration,
    OutboxLease,
    OwnTable,
    Query,
    Reads,
    Receipt,
    Session,
    Table,
)
from shoal.drivers.base.documents import outbox, places, tables
from shoal.drivers.base.documents.engine import Engine, Write
from shoal.drivers.base.documents.ground import Ground
from shoal.drivers.base.documents.leases import Leases
from shoal.drivers.base.documents.locks import Keeper
from shoal.drivers.base.documents.outbox import DocumentOutbox
from shoal.drivers.base.documents.session import DocumentSession
from shoal.drivers.base.documents.turns import Turns
from shoal.drivers.base.history import Applied, outstanding
from shoal.errors import EngineError

_LEAVING = 1.0
"""Seconds for giving rights back when the store is closed."""


class DocumentStore:
    """A `base.Store`.

    Args:
        engine: Holds the documents of one service.
        clock: Seconds since 1970, with which outbox, inbox and answers are dated.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine, self._clock = engine, clock
        self._keeper = Keeper(engine)
        self._leases = Leases(engine)
        self._ground = Ground(engine, self._keeper, Turns(engine), self._now)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    async def open(self) -> None:
        """Connect."""
        await self._engine.open()

    async def close(self) -> None:
        """Let go of rights and connections."""
        self._leases.close()
        self._keeper.close()
        with contextlib.suppress(EngineError, TimeoutError):  # or it runs out
            async with asyncio.timeout(_LEAVING):
                await self._leases.free()
        await self._engine.close()

    async def ping(self) -> None:
        """Ask the engine."""
        await self._engine.ping()

    async def migrate(self, migrations: Sequence[Migration], own: Sequence[OwnTable] = ()) -> Sequence[Migration]:
        """Make the framework's tables and note the files as applied; an engine without SQL has nothing to run."""
        async with self._leases.hold("migrating", ""):
            for table, indexes in tables.FRAMEWORK:
                await self._engine.declare(table, indexes)
            for each in own:
                await self._engine.declare(each.table, each.indexes)
            known = await self._engine.search(tables.MIGRATIONS, Query())
            applied = {int(str(one.key)): Applied(str(one.row["name"]), str(one.row["checksum"])) for one in known}
            fresh = outstanding(applied, migrations)
            rows = [{"number": one.number, "name": one.name, "checksum": one.checksum} for one in fresh]
            if rows:
                table = tables.MIGRATIONS
                await self._engine.commit([Write(table=table, key=row["number"], row=row) for row in rows])
            return fresh

    async def verify(self, tables: Sequence[Table]) -> Sequence[str]:
        """Make the places of the tables; documents need nothing else."""
        for table in tables:
            await self._ground.declare(table)
        return ()

    async def twin(self, table: Table) -> Table:
        """Make an empty twin."""
        return await places.twin(self._engine, table)

    async def untwin(self, table: Table) -> None:
        """Remove the twin, or the model whose place it took."""
        await places.clean(self._engine, table)

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Begin a transaction."""
        return DocumentSession(self._ground)

    def reads(self) -> AbstractAsyncContextManager[Reads]:
        """Begin to read; there are no copies."""
        return self.session()

    async def receipt(self, key: str) -> Receipt | None:
        """Read the answer recorded under a key."""
        found = await self._engine.read(tables.RECEIPTS, [key])
        return tables.receipt(found[0].row) if found else None

    async def handled(self, marks: Sequence[Mark]) -> frozenset[Mark]:
        """Look into the inbox."""
        by_place = {tables.place(mark): mark for mark in marks}
        found = await self._engine.read(tables.INBOX, [*by_place]) if by_place else ()
        return frozenset(by_place[str(one.key)] for one in found)

    @asynccontextmanager
    async def outbox(self) -> AsyncIterator[OutboxLease]:
        """Wait in line for the right."""
        async with self._leases.hold("outbox", "") as lease:
            try:
                yield DocumentOutbox(self._engine, self._leases, lease, self._now)
            finally:
                lease.lost.set()

    @asynccontextmanager
    async def lease(self, name: str, *, group: str = "") -> AsyncIterator[Lease]:
        """Wait in line for a right."""
        async with self._leases.hold(f"own {name}", group) as lease:
            yield lease

    async def backlog(self) -> Backlog:
        """Count the waiting rows."""
        return await outbox.backlog(self._engine, self._now())

    async def announced(self, above: int, limit: int) -> Sequence[Announced]:
        """Read the outbox by position."""
        query = Query(above={"position": above}, limit=limit)
        return [tables.announced(one.row) for one in await self._engine.search(tables.OUTBOX, query)]
