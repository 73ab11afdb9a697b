"""What stands for a connection, and for places, where each request stands for itself and nothing is numbered."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable

from shoal.errors import Unavailable

OPEN_SECONDS = 5.0

_RANDOM_BITS = 20


class Pulse:
    """Counts the times that the other side was reached again, or no longer."""

    def __init__(self) -> None:
        self.epoch = 0
        """Grows with the first request that gets no answer, and with the first that gets one again."""
        self._alive = False

    def rise(self) -> None:
        """Take note of an answer."""
        if not self._alive:
            self._alive = True
            self.epoch += 1

    def fall(self) -> None:
        """Take note that there was none."""
        if self._alive:
            self._alive = False
            self.epoch += 1


class Places:
    """Numbers that no other message has, and that grow with time."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """Make one."""
        now = time.time_ns() // 1_000_000 << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        self._last = max(self._last + 1, now)
        return self._last


async def reach(look: Callable[[], Awaitable[None]], close: Callable[[], Awaitable[None]], place: str) -> None:
    """Look whether the other side is there; let go of everything if it is not.

    Raises:
        Unavailable: There was no answer within 5 s, and whatever `look` raises.
    """
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await look()
    except BaseException as error:
        await close()
        if isinstance(error, TimeoutError):
            raise Unavailable(f"cannot reach {place}", hint="check the broker's URL") from error
        raise
