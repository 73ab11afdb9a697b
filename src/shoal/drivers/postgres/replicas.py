"""Reading from replicas that are known not to be far behind.

PostgreSQL's own measures of lag say nothing of a replica that is cut off. So the primary is asked now and then how far
its log reaches: a replica that has replayed that far has everything that was committed before the question.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import NamedTuple, TypeVar, cast

from shoal.drivers.base import Row
from shoal.drivers.postgres.pool import Pool
from shoal.drivers.postgres.session import PostgresSession
from shoal.errors import Contended, EngineError, Unavailable

LOOK_SECONDS = 0.5
"""Between two looks, while anybody reads."""

ANSWER_SECONDS = 1.0
"""For which one of them is waited for; a replica that says nothing is not asked anything else."""

_WRITTEN = """
select (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint as place,
    ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer as line
"""
_REPLAYED = """
select case when pg_is_in_recovery() then (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint end as place,
    timeline_id as line from pg_control_checkpoint()
"""
# A replica notes its timeline at a restart point, so that it is passed over for some minutes after a failover. By
# places alone it would seem near although it followed a primary that is gone.

_T = TypeVar("_T")


class _Replica:
    """One replica."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.has = -inf
        """It is known to have everything that was committed before then, on the event loop's clock."""


class Place(NamedTuple):
    """How far a log reaches."""

    line: int
    """Its timeline: a primary that takes over begins one."""
    at: int


class Replicas:
    """Some replicas, and the primary for when none of them will do.

    Args:
        primary: Connections that everybody shares.
        watch: One that is for asking the primary alone, since those may all be in use.
        pools: Connections to each replica.
        lag: Seconds that a replica may be behind.
    """

    def __init__(self, primary: Pool, watch: Pool, pools: Sequence[Pool], lag: float) -> None:
        self.primary, self._watch = primary, watch
        self._replicas = [_Replica(pool) for pool in pools]
        self._lag = lag
        self._turn = 0
        self._looked = -inf
        self._written: deque[tuple[float, Place]] = deque()
        """When the primary was asked, and how far its log reached."""
        self._looking: asyncio.Task[None] | None = None

    def choose(self) -> Pool:
        """Return the next replica that is not too far behind, else the primary."""
        now = asyncio.get_running_loop().time()
        if now - self._looked >= LOOK_SECONDS and self._replicas:
            self._looked = now
            self._look_on()
        near = [replica for replica in self._replicas if now - replica.has <= self._lag]
        if not near:
            return self.primary
        self._turn += 1
        return near[self._turn % len(near)].pool

    def distrust(self, pool: Pool) -> None:
        """Use a replica no more until it has been looked at."""
        for replica in self._replicas:
            if replica.pool is pool:
                replica.has = -inf

    def close(self) -> None:
        """Drop every connection to the replicas."""
        if self._looking is not None:
            self._looking.cancel()
        for pool in (self._watch, *(replica.pool for replica in self._replicas)):
            pool.close()

    def _look_on(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        """Learn how far the primary has written, and then how far each replica has replayed."""
        asked = asyncio.get_running_loop().time()
        if (written := await _ask(self._watch, _WRITTEN)) is not None:
            self._written.append((asked, written))
        while self._written and self._written[0][0] < asked - self._lag:
            self._written.popleft()
        await asyncio.gather(*(self._know(replica) for replica in self._replicas))

    async def _know(self, replica: _Replica) -> None:
        found = await _ask(replica.pool, _REPLAYED)
        known = [at for at, written in self._written if found and written.line == found.line and written.at <= found.at]
        replica.has = max(known, default=-inf)


class ReplicaSession(PostgresSession):
    """A `base.Reads` on one replica; what fails there is read from the primary."""

    how = "begin read only"

    def __init__(self, replicas: Replicas) -> None:
        super().__init__(replicas.choose())
        self._replicas = replicas

    async def _read(self, text: str, values: Sequence[object], *, lock: bool, touched: bool) -> Sequence[Row]:
        read = super()._read
        return await self._somewhere(lambda: read(text, values, lock=lock, touched=touched))

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run the service's own SQL, in a transaction that can change nothing."""
        fetch = super().fetch
        return await self._somewhere(lambda: fetch(sql, *args))

    async def _somewhere(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        """Ask the replica, and the primary instead when the replica is gone or had to give up for its own sake."""
        try:
            return await ask()
        except (Unavailable, Contended):
            if self._pool is self._replicas.primary:
                raise
            await self._leave()
            self._replicas.distrust(self._pool)
            self._pool, self._failed = self._replicas.primary, False
            return await ask()


async def _ask(pool: Pool, sql: str) -> Place | None:
    """Ask how far a log reaches; None where there is no answer, or no such log."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            (row,) = await pool.fetch(sql)
    except (EngineError, TimeoutError):
        return None
    return None if row["place"] is None else Place(cast("int", row["line"]), cast("int", row["place"]))
