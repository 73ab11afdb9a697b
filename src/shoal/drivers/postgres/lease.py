"""Exclusive rights: advisory locks, and the connection that holds them."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from shoal.drivers.postgres import schema
from shoal.drivers.postgres.client import Link
from shoal.errors import EngineError

SETTINGS = {"application_name": "shoal lease", "idle_session_timeout": "10s"}
"""A holder that is frozen, and so asks nothing for a while, loses the right."""

_BEAT = 1.0


class PostgresLease:
    """A `base.Lease`."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()
        self.wanted = asyncio.Event()


@asynccontextmanager
async def hold(connect: Callable[[], Awaitable[Link]], name: str) -> AsyncIterator[PostgresLease]:
    """Wait for a right and keep it."""
    link = await connect()
    try:
        await schema.lock(link, (schema.LEASING, zlib.crc32(name.encode()) - (1 << 31)))
        lease = PostgresLease()
        beating = asyncio.create_task(_beat(link, lease))
        try:
            yield lease
        finally:
            beating.cancel()
    finally:
        link.abort()


async def _beat(link: Link, lease: PostgresLease) -> None:
    with suppress(EngineError):
        while True:
            await asyncio.sleep(_BEAT)
            await link.fetch("select 1")
    lease.lost.set()
