"""Exclusive rights: locks that their holder renews, and that are anybody's when it no longer does."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Collection, Iterable

from shoal.drivers.base import leasing
from shoal.drivers.base.documents.engine import Engine, Hold
from shoal.drivers.base.documents.locks import LIFE
from shoal.drivers.base.leasing import RESTING
from shoal.drivers.base.shares import Balance

PATIENCE = (LIFE - RESTING) / 2 - 0.5
"""Seconds for one look, after which rights count as lost. One that renewed first and then took as long as it may, the
pause, and one that hangs, are together shorter than a lock lives."""


class Leases(leasing.Leases):
    """The rights that one process holds or asks for."""

    def __init__(self, engine: Engine) -> None:
        super().__init__("the store", PATIENCE)
        self._engine = engine
        self._me, self._before = uuid.uuid4().hex, ""
        self._shown: set[str] = set()

    async def awaited(self, name: str) -> bool:
        """Say whether another process asks for a right."""
        asking = await self._engine.beginning(f"ask {name}\n")
        return any(owner != self._me for owner in asking.values())

    def holding(self, name: str) -> Hold:
        """Say what a commit by the holder of a right demands."""
        return Hold(owner=self._me, kept=_right(name))

    async def free(self) -> None:
        """Give everything back at once, for those who wait."""
        await self._engine.release(self._me)

    async def connect(self) -> None:
        """Let go of what the one before us still has, so that nobody waits for it to run out."""
        if self._before:
            await self._engine.release(self._before)
            self._before = ""

    def leave(self) -> None:
        """Be another one from now on: what this one still wants to commit is refused."""
        self._before, self._me, self._shown = self._me, uuid.uuid4().hex, set()

    async def look(self) -> None:
        """Renew what we have, and see who has what."""
        await self._attend()
        alive = {*await self._engine.renew([self._me], LIFE)}
        for lease in [lease for lease in self.held if _right(lease.name) not in alive]:
            lease.lost.set()
            self.held.remove(lease)
        for group in self.groups():
            holders = await self._engine.holders([_right(name) for name in self.known[group]])
            taken = [name for name in self.known[group] if _right(name) in holders]
            await self.serve(group, taken, await self._balance(group, Counter(holders.values())))
        if not (self.asked or self.held or self.returned):
            self._shown = set()
            await self._engine.release(self._me)

    async def take(self, names: Collection[str]) -> Iterable[str]:
        """Try the locks."""
        wanted = [*names]
        holders = await asyncio.gather(*(self._engine.take(_right(name), self._me, LIFE) for name in wanted))
        return [name for name, holder in zip(wanted, holders, strict=True) if holder == self._me]

    async def _attend(self) -> None:
        """Give back what was returned, and be seen with what we ask for and take part in, and nothing else."""
        returned, self.returned = self.returned, []
        present = {_member(lease.group, self._me) for lease in (*self.asked, *self.held) if lease.group}
        present |= {_asking(lease.name, self._me) for lease in self.asked}
        gone = [_right(name) for name in returned] + sorted(self._shown - present)
        if gone:
            await self._engine.release(self._me, gone)
        await asyncio.gather(*(self._engine.take(name, self._me, LIFE) for name in sorted(present - self._shown)))
        self._shown = present

    async def _balance(self, group: str, held: Counter[str]) -> Balance:
        members = await self._engine.beginning(f"member {group}\n") if group else {}
        others = tuple(held[owner] for owner in members.values() if owner != self._me)
        return Balance(mine=len(self.of(group)), others=others, rights=len(self.known[group]))


def _right(name: str) -> str:
    return f"lease {name}"


def _member(group: str, process: str) -> str:
    return f"member {group}\n{process}"


def _asking(name: str, process: str) -> str:
    return f"ask {name}\n{process}"
