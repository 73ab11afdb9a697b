"""Documents by SQL of one's own, outside every transaction of the house."""

from collections.abc import Sequence

from shoal.drivers.base import Row
from shoal.drivers.postgres.pool import Pool


class Documents:
    """One table of documents: ``key text``, ``version bigint``, ``body jsonb``."""

    def __init__(self, pool: Pool, name: str) -> None:
        self._pool = pool
        self.name = name
        """As SQL spells it."""

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run one statement, which commits itself, and return its rows; JSON is text."""
        link = await self._pool.acquire()
        try:
            link.dirty = True
            rows = await link.fetch(sql, args)
            if link.dirty:
                await link.end("")
            return rows
        finally:
            self._pool.release(link)
