"""Exclusive rights: advisory locks of the one connection by which a process holds all of its rights.

Who takes part in a group holds a lock of the group that all members share, so that the server knows how many there
are: of a member that dies, it forgets everything at once.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import cast

import msgspec

from shoal.drivers.base import shares
from shoal.drivers.base.shares import Balance
from shoal.drivers.postgres.client import Link
from shoal.drivers.postgres.schema import lock_key
from shoal.errors import EngineError, Unavailable

SETTINGS = {"application_name": "shoal lease", "idle_session_timeout": "10s"}
"""A process that is frozen, and so asks nothing for a while, loses its rights."""

ASKING, RESTING = 0.25, 1.0
"""Seconds between looks, with something to wait for and without."""

PATIENCE = 7.0
"""Seconds for one look, after which rights count as lost; less than the server waits before it gives them to others."""

OVERDUE = 2.0
"""Seconds that a right may stay free because it is somebody else's turn."""

_SURVEY = """
select l.pid, l.mode = 'ShareLock' as member, (l.classid::bigint << 32) | l.objid::bigint as key,
    l.pid = pg_backend_pid() as own, a.state_change > clock_timestamp() - interval '5 s' as alive
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.objsubid = 1 and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
    and (l.classid::bigint << 32) | l.objid::bigint = any($1::bigint[])
"""

_TAKE = "select key from unnest($1::bigint[]) as key where pg_try_advisory_lock(key)"
_JOIN = "select pg_advisory_lock_shared(key) from unnest($1::bigint[]) as key"
_RETURN = "select pg_advisory_unlock(key) from unnest($1::bigint[]) as key"
_LEAVE = "select pg_advisory_unlock_shared(key) from unnest($1::bigint[]) as key"


class PostgresLease:
    """A `base.Lease`."""

    def __init__(self, name: str, group: str) -> None:
        self.group = group
        self.key = lock_key(f"lease {name}")
        self.lost = asyncio.Event()
        self.wanted = asyncio.Event()
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.free_since: float | None = None


class _Found(msgspec.Struct, frozen=True):
    """One lock that somebody holds."""

    pid: int
    member: bool
    key: int
    own: bool
    alive: bool


class Leases:
    """The rights that one process holds or asks for."""

    def __init__(self, connect: Callable[[], Awaitable[Link]]) -> None:
        self._connect = connect
        self._asked: list[PostgresLease] = []
        self._held: list[PostgresLease] = []
        self._returned: list[int] = []
        self._joined: set[str] = set()
        self._known: dict[str, set[int]] = {}
        """Every right of a group that was asked for here; of those not asked for now others may have their share."""
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @asynccontextmanager
    async def hold(self, name: str, group: str) -> AsyncIterator[PostgresLease]:
        """Wait for a right and keep it until the block ends."""
        if self._closed:
            raise EngineError("the store is closed", hint="open it first and close it last")
        lease = PostgresLease(name, group)
        self._known.setdefault(group, set()).add(lease.key)
        self._asked.append(lease)
        self._stir()
        try:
            await lease.granted
            yield lease
        finally:
            self._give_back(lease)

    def close(self) -> None:
        """Let go of everything."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()

    def _stir(self) -> None:
        self._news.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def _give_back(self, lease: PostgresLease) -> None:
        if lease in self._asked:
            self._asked.remove(lease)
        elif lease in self._held:
            self._held.remove(lease)
            self._returned.append(lease.key)
        self._news.set()

    async def _run(self) -> None:
        """Serve who asks and holds, until there is nobody or the connection is gone."""
        failure = EngineError("the store was closed")
        link = None
        try:
            link = await self._connect()
            while self._asked or self._held or self._returned:
                self._news.clear()
                async with asyncio.timeout(PATIENCE):
                    await self._look(link)
                await self._rest()
        except EngineError as error:
            failure = error
        except TimeoutError:
            failure = Unavailable(f"PostgreSQL did not answer within {PATIENCE:g} s", hint="ask for the right again")
        finally:
            self._lose(failure)
            if link is not None:
                link.abort()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(ASKING if self._asked else RESTING):
                await self._news.wait()
        except TimeoutError:
            return

    def _lose(self, failure: EngineError) -> None:
        for lease in self._held:
            lease.lost.set()
        for lease in self._asked:
            if not lease.granted.done():
                lease.granted.set_exception(failure)
        self._asked, self._held, self._returned, self._joined = [], [], [], set()

    async def _look(self, link: Link) -> None:
        returned, self._returned = self._returned, []
        if returned:
            await link.fetch(_RETURN, [returned])
        await self._attend(link)
        keys = {lease.key for lease in (*self._asked, *self._held)}
        for group in self._joined:
            keys |= {_group_key(group), *self._known[group]}
        found = [msgspec.convert(row, _Found) for row in await link.fetch(_SURVEY, [[*keys]])]
        taken = {lock.key for lock in found if not lock.member}
        for group in {lease.group for lease in (*self._asked, *self._held)}:
            balance = self._balance(group, found)
            await self._take(link, self._choose(group, taken, balance))
            self._want_back(group, shares.give(balance) if group else 0)

    async def _attend(self, link: Link) -> None:
        """Be a member of the groups of which we hold or ask for something, and of no other."""
        present = {lease.group for lease in (*self._asked, *self._held)} - {""}
        for groups, sql in ((present - self._joined, _JOIN), (self._joined - present, _LEAVE)):
            if groups:
                await link.fetch(sql, [[_group_key(group) for group in groups]])
        self._joined = present

    def _balance(self, group: str, found: Sequence[_Found]) -> Balance:
        keys = self._known[group]
        held = Counter(lock.pid for lock in found if lock.key in keys and not lock.member)
        members = {lock.pid: lock.own for lock in found if lock.alive and lock.key == _group_key(group)}
        others = tuple(held[pid] for pid, own in members.items() if not own)
        return Balance(mine=len(_of(group, self._held)), others=others, rights=len(keys))

    def _choose(self, group: str, taken: set[int], balance: Balance) -> list[PostgresLease]:
        """Choose what to take: what nobody has, up to our share, and what nobody took although it was their turn."""
        now = asyncio.get_running_loop().time()
        share = shares.take(balance)
        chosen: list[PostgresLease] = []
        for lease in _of(group, self._asked):
            if lease.key in taken:
                lease.free_since = None
                continue
            lease.free_since = lease.free_since or now
            if len(chosen) < share or not group or now - lease.free_since > OVERDUE:
                chosen.append(lease)
        return chosen

    async def _take(self, link: Link, chosen: Sequence[PostgresLease]) -> None:
        # The lock of a name that two of our own tasks ask for would be given to both.
        by_key = {lease.key: lease for lease in chosen}
        rows = await link.fetch(_TAKE, [[*by_key]]) if by_key else []
        for row in rows:
            lease = by_key[cast("int", row["key"])]
            if lease not in self._asked or lease.granted.done():  # it gave up while we asked
                self._returned.append(lease.key)
                self._news.set()
                continue
            self._asked.remove(lease)
            self._held.append(lease)
            lease.granted.set_result(None)

    def _want_back(self, group: str, number: int) -> None:
        held = _of(group, self._held)
        for lease in held[: max(0, number - sum(lease.wanted.is_set() for lease in held))]:
            lease.wanted.set()


def _of(group: str, leases: Iterable[PostgresLease]) -> list[PostgresLease]:
    return [lease for lease in leases if lease.group == group]


def _group_key(group: str) -> int:
    return lock_key(f"group {group}")
