"""A service's own PostgreSQL database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import cast

import msgspec

from shoal.drivers.base import (
    Announced,
    Backlog,
    Lease,
    Mark,
    Migration,
    OutboxLease,
    OwnTable,
    Reads,
    Receipt,
    Session,
    Table,
)
from shoal.drivers.postgres import client, leases, outbox, partitions, receipts, schema, shadow, tidy
from shoal.drivers.postgres.address import Address, parse
from shoal.drivers.postgres.leases import Leases
from shoal.drivers.postgres.migrate import migrate
from shoal.drivers.postgres.outbox import PostgresOutbox
from shoal.drivers.postgres.pool import Pool
from shoal.drivers.postgres.pooled import reach
from shoal.drivers.postgres.replicas import Replicas, ReplicaSession
from shoal.drivers.postgres.session import PostgresSession
from shoal.drivers.postgres.verify import verify

POOL_SIZE = 16
"""Most connections of one process, one more for its relay; ``?pool=`` in the URL replaces it."""

_HANDLED = """
select consumer, message_id, at from shoal.inbox
where (consumer, message_id, at) in (select * from unnest($1::text[], $2::text[], $3::timestamptz[]))
"""

_MIGRATING = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "lock_timeout": "60s"}


class PostgresStore:
    """A `base.Store`."""

    def __init__(self, url: str) -> None:
        address = parse(url)
        self._direct = address.direct
        self._width = timedelta(hours=address.part) if address.part else partitions.WIDTH
        self._pool = _pool(address)
        watch = Pool(lambda: client.connect(self._direct), 1)
        copies = [_pool(address._replace(url=url)) for url in address.replicas]
        self._replicas = Replicas(self._pool, watch, copies, address.lag)
        self._leases = Leases(lambda: client.connect(self._direct, leases.SETTINGS))

    async def open(self) -> None:
        """Open the first connection."""
        await self._pool.open()

    async def close(self) -> None:
        """Drop every connection."""
        self._pool.close()
        self._replicas.close()
        self._leases.close()

    def connections(self) -> tuple[int, int, int, int]:
        """Count those for transactions: in use, idle, how many there may be, and who waits for one."""
        return self._pool.counts()

    async def ping(self) -> None:
        """Run an empty statement."""
        await self._pool.ping()

    async def migrate(self, migrations: Sequence[Migration], own: Sequence[OwnTable] = ()) -> Sequence[Migration]:
        """Migrate over a connection of its own, which may wait longer than others."""
        link = await client.connect(self._direct, _MIGRATING)
        try:
            return await migrate(link, migrations, own, self._width)
        finally:
            link.abort()

    async def verify(self, tables: Sequence[Table]) -> Sequence[str]:
        """Compare with the catalogue of the database."""
        link = await self._pool.acquire()
        try:
            return await verify(link, tables)
        finally:
            self._pool.release(link)

    async def twin(self, table: Table) -> Table:
        """Make an empty twin."""
        link = await self._pool.acquire()
        try:
            return await shadow.make(link, table)
        finally:
            self._pool.release(link)

    async def untwin(self, table: Table) -> None:
        """Drop the twin."""
        link = await self._pool.acquire()
        try:
            await shadow.remove(link, table)
        finally:
            self._pool.release(link)

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Begin a transaction."""
        return PostgresSession(self._pool)

    def reads(self) -> AbstractAsyncContextManager[Reads]:
        """Read from a replica, where there are any."""
        return ReplicaSession(self._replicas)

    async def receipt(self, key: str) -> Receipt | None:
        """Read the answer recorded under a key."""
        rows = await self._pool.fetch(receipts.READ, [key])
        return receipts.receipt(rows[0]) if rows else None

    async def handled(self, marks: Sequence[Mark]) -> frozenset[Mark]:
        """Look into the inbox."""
        columns = [m.consumer for m in marks], [m.message_id for m in marks], [m.at for m in marks]
        found = await self._pool.fetch(_HANDLED, columns)
        return frozenset(msgspec.convert(row, Mark) for row in found)

    @asynccontextmanager
    async def outbox(self) -> AsyncIterator[OutboxLease]:
        """Wait for the lock on a connection of its own."""
        link = await client.connect(self._direct, outbox.SETTINGS)
        try:
            await link.fetch("select pg_advisory_lock_shared($1::integer, $2::integer)", schema.STANDING_BY)
            await schema.lock(link, schema.RELAYING)
            await link.fetch("select pg_advisory_unlock_shared($1::integer, $2::integer)", schema.STANDING_BY)
            yield PostgresOutbox(link, self._tidy)
        finally:
            link.abort()

    def lease(self, name: str, *, group: str = "") -> AbstractAsyncContextManager[Lease]:
        """Wait for one of the rights that this process shares with others."""
        return self._leases.hold(name, group)

    async def backlog(self) -> Backlog:
        """Count the waiting rows."""
        return outbox.backlog((await self._pool.fetch(outbox.BACKLOG))[0])

    async def announced(self, above: int, limit: int) -> Sequence[Announced]:
        """Read the outbox by position."""
        near = above + 4 * limit
        rows = await self._pool.fetch(outbox.ANNOUNCED, [above, limit, near])
        if len(rows) < limit:
            (latest,) = await self._pool.fetch(outbox.LATEST)
            if cast("int", latest["n"]) > near:
                rows = await self._pool.fetch(outbox.ANNOUNCED, [above, limit, latest["n"]])
        return [outbox.announced(row) for row in rows]

    async def _tidy(self, window: timedelta) -> None:
        """Tidy over a connection of its own, which waits for nobody for long."""
        link = await client.connect(self._direct, tidy.SETTINGS)
        try:
            await tidy.tidy(link, window, self._width)
        finally:
            link.abort()


def _pool(address: Address) -> Pool:
    return Pool(lambda: reach(address), address.pool or POOL_SIZE)
