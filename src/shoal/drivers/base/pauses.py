"""How long a client waits before it connects, or asks, again."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shoal.errors import Unavailable

T = TypeVar("T")

LONGEST = 1.0
"""Seconds; whoever comes back is found within so long."""


def reconnecting(attempt: int) -> float:
    """Return seconds that double with each attempt, from 0, up to `LONGEST`, and differ between clients."""
    return min(LONGEST, 0.02 * 2.0 ** min(attempt, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load


class Pauses:
    """Longer and longer pauses, each different for everybody, until there is no more patience."""

    def __init__(self, patience: float, *, first: float = 0.01, longest: float = 0.5) -> None:
        self._deadline, self._next, self._longest = time.monotonic() + patience, first, longest

    async def rest(self) -> bool:
        """Wait, or say that it took too long."""
        if time.monotonic() > self._deadline:
            return False
        await asyncio.sleep(self._next * random.uniform(0.3, 1.0))  # noqa: S311 - spreads those who wait
        self._next = min(self._longest, self._next * 1.7)
        return True


async def insist(ask: Callable[[], Awaitable[T]], pauses: Pauses, again: type[Unavailable] = Unavailable) -> T:
    """Ask for what may be repeated until it is answered, or raise the last outage when there is no more patience."""
    while True:
        try:
            return await ask()
        except again:
            if not await pauses.rest():
                raise
