"""Exclusive rights in memory, shared by the processes that there would be: each has a `MemoryStore` of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shoal.drivers.base import shares
from shoal.drivers.base.shares import Balance
from shoal.errors import Unavailable

Member = object
"""A process, by identity."""


class MemoryLease:
    """A `base.Lease`."""

    def __init__(self, member: Member, name: str, group: str) -> None:
        self.member, self.name, self.group = member, name, group
        self.lost = asyncio.Event()
        self.wanted = asyncio.Event()
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Rights:
    """Who holds which right, and who waits for it."""

    def __init__(self) -> None:
        self._asked: list[MemoryLease] = []
        self._held: list[MemoryLease] = []

    @asynccontextmanager
    async def hold(self, member: Member, name: str, group: str) -> AsyncIterator[MemoryLease]:
        """Wait for a right and keep it until the block ends."""
        lease = MemoryLease(member, name, group)
        self._asked.append(lease)
        self._settle()
        try:
            await lease.granted
            yield lease
        finally:
            self._drop(lease)
            self._settle()

    def vanish(self, member: Member) -> None:
        """Take everything from a process that died."""
        for lease in [lease for lease in (*self._held, *self._asked) if lease.member is member]:
            lease.lost.set()
            self._drop(lease)
            if not lease.granted.done():
                lease.granted.set_exception(Unavailable("the process is counted as dead", hint="ask again"))
        self._settle()

    def awaited(self, name: str) -> bool:
        """Say whether somebody waits for a right."""
        return any(lease.name == name for lease in self._asked)

    def _drop(self, lease: MemoryLease) -> None:
        for leases in (self._asked, self._held):
            if lease in leases:
                leases.remove(lease)

    def _settle(self) -> None:
        """Grant what is free to whose turn it is, then ask those who have too many for some of theirs."""
        for due in (True, False):  # what nobody takes whose turn it is goes to anybody
            for lease in [*self._asked]:
                if self._is_free(lease.name) and (not due or not lease.group or shares.take(self._balance(lease))):
                    self._asked.remove(lease)
                    self._held.append(lease)
                    if not lease.granted.done():
                        lease.granted.set_result(None)
        for lease in self._held:
            if lease.group:
                self._want_back(lease)

    def _want_back(self, lease: MemoryLease) -> None:
        held = [held for held in self._held if held.group == lease.group and held.member is lease.member]
        number = shares.give(self._balance(lease)) - sum(held.wanted.is_set() for held in held)
        awaited = {asked.name for asked in self._asked if asked.member is not lease.member}
        for surplus in [lease for lease in held if lease.name in awaited][: max(0, number)]:
            surplus.wanted.set()

    def _is_free(self, name: str) -> bool:
        return all(held.name != name for held in self._held)

    def _balance(self, lease: MemoryLease) -> Balance:
        group = [other for other in (*self._asked, *self._held) if other.group == lease.group]
        members = {id(other.member): 0 for other in group}
        for held in self._held:
            if held.group == lease.group:
                members[id(held.member)] += 1
        mine = members.pop(id(lease.member))
        return Balance(mine=mine, others=tuple(members.values()), rights=len({other.name for other in group}))
