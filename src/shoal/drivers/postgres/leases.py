"""Exclusive rights: advisory locks of the one connection by which a process holds all of its rights.

Who takes part in a group holds a lock of the group that all members share, so that the server knows how many there
are: of a member that dies, it forgets everything at once.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

import msgspec

from shoal.drivers.base import Row, leasing
from shoal.drivers.base.shares import Balance
from shoal.drivers.postgres.client import Link
from shoal.drivers.postgres.schema import lock_key
from shoal.errors import Unavailable

SETTINGS = {"application_name": "shoal lease", "idle_session_timeout": "10s"}
"""A process that is frozen, and so asks nothing for a while, loses its rights."""

PATIENCE = 7.0
"""Seconds for one look, after which rights count as lost; less than the server waits before it gives them to others."""

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


class _Found(msgspec.Struct, frozen=True):
    """One lock that somebody holds."""

    pid: int
    member: bool
    key: int
    own: bool
    alive: bool


class Leases(leasing.Leases):
    """The rights that one process holds or asks for."""

    def __init__(self, connect: Callable[[], Awaitable[Link]]) -> None:
        super().__init__("PostgreSQL", PATIENCE)
        self._connect = connect
        self._link: Link | None = None
        self._joined: set[str] = set()

    async def connect(self) -> None:
        """Open the connection that holds the locks."""
        self._link = await self._connect()

    def leave(self) -> None:
        """End the connection, and with it every lock."""
        link, self._link, self._joined = self._link, None, set()
        if link is not None:
            link.abort()

    async def look(self) -> None:
        """Ask the server who holds what."""
        returned, self.returned = self.returned, []
        if returned:
            await self._fetch(_RETURN, map(_right_key, returned))
        await self._attend()
        keys = {_right_key(lease.name) for lease in (*self.asked, *self.held)}
        for group in self._joined:
            keys |= {_group_key(group), *map(_right_key, self.known[group])}
        found = [msgspec.convert(row, _Found) for row in await self._fetch(_SURVEY, keys)]
        taken = {lock.key for lock in found if not lock.member}
        for group in self.groups():
            names = {name for name in self.known[group] if _right_key(name) in taken}
            await self.serve(group, names, self._balance(group, found))

    async def take(self, names: Collection[str]) -> Iterable[str]:
        """Try the locks."""
        by_key = {_right_key(name): name for name in names}
        return [by_key[int(str(row["key"]))] for row in await self._fetch(_TAKE, by_key)]

    async def _attend(self) -> None:
        """Be a member of the groups of which we hold or ask for something, and of no other."""
        present = self.groups() - {""}
        for groups, sql in ((present - self._joined, _JOIN), (self._joined - present, _LEAVE)):
            if groups:
                await self._fetch(sql, map(_group_key, groups))
        self._joined = present

    def _balance(self, group: str, found: Sequence[_Found]) -> Balance:
        keys = {_right_key(name) for name in self.known[group]}
        held = Counter(lock.pid for lock in found if lock.key in keys and not lock.member)
        members = {lock.pid: lock.own for lock in found if lock.alive and lock.key == _group_key(group)}
        others = tuple(held[pid] for pid, own in members.items() if not own)
        return Balance(mine=len(self.of(group)), others=others, rights=len(keys))

    async def _fetch(self, sql: str, keys: Iterable[int]) -> Sequence[Row]:
        if self._link is None:
            raise Unavailable("the connection that holds the rights is closed", hint="ask for the right again")
        return await self._link.fetch(sql, [[*keys]])


def _right_key(name: str) -> int:
    return lock_key(f"lease {name}")


def _group_key(group: str) -> int:
    return lock_key(f"group {group}")
