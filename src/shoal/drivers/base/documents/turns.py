"""Turns at a lock: who takes the same one again and again now and then leaves it to those who have waited for long.

Nobody is woken when a lock is free; who waits asks again a few times a second. A process that frees it and takes it
within a millisecond, as one that folds events does, would keep it from them for ever.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from shoal.drivers.base import Query
from shoal.drivers.base.documents.engine import Engine
from shoal.drivers.base.documents.tables import WAITS

LONG = 1.0
"""Seconds after which who waits says so, and who has a lock on and off looks whether anybody waits."""

TURN = 0.3
"""Seconds for which the lock is left to them: they ask several times meanwhile."""

_TURNS = 3
"""For one that waits: it may have died."""

_MANY = 1_000


class _Had(msgspec.Struct):
    """When a process began to have a lock on and off, and when it freed it last."""

    since: float
    last: float


class Turns:
    """The locks that a process had of late."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        self._had: dict[str, _Had] = {}
        self._given: Counter[str] = Counter()

    def freed(self, names: Iterable[str]) -> None:
        """Note that locks were freed."""
        now = self._clock()
        if len(self._had) > _MANY:
            self._had = {name: had for name, had in self._had.items() if now - had.last < TURN}
        for name in names:
            had = self._had.setdefault(name, _Had(now, now))
            had.since, had.last = (had.since if now - had.last < LONG else now), now

    async def give(self, name: str) -> None:
        """Before a lock is taken again: leave it to somebody for a moment, if it is their turn."""
        had, now = self._had.get(name), self._clock()
        if had is None or now - had.last > TURN or now - had.since < LONG:
            return
        had.since = now
        waiting = [str(one.key) for one in await self._engine.search(WAITS, Query(where={"lock": name}))]
        self._given = Counter({owner: self._given[owner] + 1 for owner in waiting})
        if any(turns <= _TURNS for turns in self._given.values()):
            await asyncio.sleep(TURN)
