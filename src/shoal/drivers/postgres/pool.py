"""A few connections shared by many tasks, none of whom waits for ever.

asyncpg's own pool costs two tasks and a round trip for each use, and may wait without end; this one costs neither.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from shoal.drivers.base import Row
from shoal.drivers.postgres.client import Link
from shoal.errors import EngineError, Unavailable

PING_SECONDS = 1.0
ACQUIRE_SECONDS = 1.0
IDLE_SECONDS = 60.0


class Pool:
    """Up to `size` connections, opened when needed; the one used last is used first."""

    def __init__(self, connect: Callable[[], Awaitable[Link]], size: int) -> None:
        self._connect = connect
        self._size = size
        self._idle: list[Link] = []
        self._used: set[Link] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[Link | None]] = deque()
        self._closed = False

    async def open(self) -> None:
        """Open the first connection."""
        self.release(await self._connect())

    async def ping(self) -> None:
        """Run an empty statement."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self.fetch("select 1")
        except TimeoutError as error:
            raise Unavailable(f"PostgreSQL did not answer within {PING_SECONDS:g} s") from error

    async def fetch(self, sql: str, args: Sequence[object] = ()) -> list[Row]:
        """Run one statement on any connection and return its rows."""
        link = self.take() or await self.acquire()
        try:
            return await link.fetch(sql, args)
        finally:
            self.release(link)

    def take(self) -> Link | None:
        """Take a connection that nobody uses, if there is one: the quick half of `acquire`."""
        while self._idle:
            link = self._idle.pop()
            if not link.broken:
                self._used.add(link)
                return link
        return None

    async def acquire(self) -> Link:
        """Take a connection; `Unavailable` when none comes free, or none can be opened, within a second."""
        if self._closed:
            raise EngineError("the store is closed", hint="open it first and close it last")
        link = self.take()
        if link is None:
            link = await self._later()
            self._used.add(link)
        return link

    def release(self, link: Link) -> None:
        """Give a connection back; one that is broken, dirty or inside a transaction is dropped."""
        self._used.discard(link)
        if self._closed or not link.clean:
            link.abort()
            self._hand(None)
        elif not (self._waiting and self._hand(link)):
            self._rest(link)

    def counts(self) -> tuple[int, int, int, int]:
        """Return how many connections are in use, how many are idle, how many there may be, and who waits for one."""
        waiting = sum(not turn.done() for turn in self._waiting)
        return len(self._used) + self._opening, len(self._idle), self._size, waiting

    def close(self) -> None:
        """Drop every connection, used or not, and send away who waits."""
        self._closed = True
        for link in (*self._idle, *self._used):
            link.abort()
        self._idle.clear()
        while self._hand(None):
            pass

    def _rest(self, link: Link) -> None:
        """Keep a connection for the next use, and let go of one that was not needed for long."""
        link.used_at = asyncio.get_running_loop().time()
        self._idle.append(link)
        if self._idle[0].used_at < link.used_at - IDLE_SECONDS:
            self._idle.pop(0).abort()

    async def _later(self) -> Link:
        """Open a connection while there is room, else wait in line."""
        until = asyncio.get_running_loop().time() + ACQUIRE_SECONDS
        try:
            while not self._closed:
                link = self.take() or await (self._open(until) if self._room else self._turn(until))
                if link is not None and not link.broken:
                    return link
                self._forget(link)
        except TimeoutError as error:
            raise Unavailable(
                f"no connection to PostgreSQL came free within {ACQUIRE_SECONDS:g} s ({len(self._used)} in use)",
                hint="keep transactions short, or raise ?pool= in the store's URL",
            ) from error
        raise EngineError("the store was closed")

    def _forget(self, link: Link | None) -> None:
        if link is not None:
            self._used.discard(link)

    @property
    def _room(self) -> bool:
        return len(self._used) + self._opening < self._size

    async def _open(self, until: float) -> Link:
        self._opening += 1
        try:
            async with asyncio.timeout_at(until):
                return await self._connect()
        except BaseException:
            self._hand(None)  # who waits may try as well
            raise
        finally:
            self._opening -= 1

    async def _turn(self, until: float) -> Link | None:
        """Wait in line for a connection, or for room to open one."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Link | None] = loop.create_future()
        timer = loop.call_at(until, _expire, turn)
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:  # it was our turn: pass it on
                link = turn.result()
                self._hand(None) if link is None else self.release(link)
            raise
        finally:
            timer.cancel()

    def _hand(self, link: Link | None) -> bool:
        """Give a connection, or room for one, to the first in line; say whether anybody was there."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(link)
                if link is not None:
                    self._used.add(link)
                return True
        return False


def _expire(turn: asyncio.Future[Link | None]) -> None:
    """End a wait; an `asyncio.timeout` around it would cost more than all the rest."""
    if not turn.done():
        turn.set_exception(TimeoutError())
