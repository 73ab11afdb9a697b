"""A service's own PostgreSQL database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

import msgspec

from shoal.drivers.base import Backlog, Migration, OutboxLease, Receipt, Row, Session, Table
from shoal.drivers.postgres import client, lease, schema
from shoal.drivers.postgres.lease import PostgresLease
from shoal.drivers.postgres.migrate import migrate
from shoal.drivers.postgres.pool import Pool
from shoal.drivers.postgres.session import PostgresSession
from shoal.drivers.postgres.verify import verify
from shoal.errors import Unavailable

POOL_SIZE = 16
"""Most connections of one process, one more for its relay; ``?pool=`` in the URL replaces it."""

PING_SECONDS = 1.0

_RECEIPT = "select key, fingerprint, status, headers::text as headers, body from shoal.receipts where key = $1"

_HANDLED = "select 1 from shoal.inbox where consumer = $1 and message_id = $2"

_BACKLOG = """
select count(*) as count, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as age
from shoal.outbox where sent_at is null
"""

_MIGRATING = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "lock_timeout": "60s"}

_pairs = msgspec.json.Decoder(tuple[tuple[str, str], ...])


class PostgresStore:
    """A `base.Store`."""

    def __init__(self, url: str) -> None:
        self._url, size = client.take(url, "pool", POOL_SIZE)
        self._pool = Pool(lambda: client.connect(self._url), size)

    async def open(self) -> None:
        """Open the first connection."""
        self._pool.release(await client.connect(self._url))

    async def close(self) -> None:
        """Drop every connection."""
        self._pool.close()

    async def ping(self) -> None:
        """Run an empty statement."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._fetch("select 1")
        except TimeoutError as error:
            raise Unavailable(f"PostgreSQL did not answer within {PING_SECONDS:g} s") from error

    async def migrate(self, migrations: Sequence[Migration]) -> Sequence[Migration]:
        """Migrate over a connection of its own, which may wait longer than others."""
        link = await client.connect(self._url, _MIGRATING)
        try:
            return await migrate(link, migrations)
        finally:
            link.abort()

    async def verify(self, tables: Sequence[Table]) -> Sequence[str]:
        """Compare with the catalogue of the database."""
        link = await self._pool.acquire()
        try:
            return await verify(link, tables)
        finally:
            self._pool.release(link)

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Begin a transaction."""
        return PostgresSession(self._pool)

    async def receipt(self, key: str) -> Receipt | None:
        """Read the answer recorded under a key."""
        rows = await self._fetch(_RECEIPT, [key])
        return _receipt(rows[0]) if rows else None

    async def handled(self, consumer: str, message_id: str) -> bool:
        """Look into the inbox."""
        return bool(await self._fetch(_HANDLED, [consumer, message_id]))

    @asynccontextmanager
    async def outbox(self) -> AsyncIterator[OutboxLease]:
        """Wait for the lock on a connection of its own."""
        link = await client.connect(self._url, lease.SETTINGS)
        try:
            await schema.lock(link, schema.RELAYING)
            yield PostgresLease(link)
        finally:
            link.abort()

    async def backlog(self) -> Backlog:
        """Count the unsent rows."""
        row = (await self._fetch(_BACKLOG))[0]
        return Backlog(count=cast("int", row["count"]), age=max(0.0, cast("float", row["age"])))

    async def _fetch(self, sql: str, args: Sequence[object] = ()) -> Sequence[Row]:
        link = await self._pool.acquire()
        try:
            return await link.fetch(sql, args)
        finally:
            self._pool.release(link)


def _receipt(row: Row) -> Receipt:
    return Receipt(
        key=cast("str", row["key"]), fingerprint=cast("str", row["fingerprint"]), status=cast("int", row["status"]),
        headers=_pairs.decode(cast("str", row["headers"])), body=cast("bytes", row["body"]),
    )  # fmt: skip
