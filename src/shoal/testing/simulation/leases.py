"""Exclusive rights of the model database: held on the server by a task of its own, believed in by the client."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shoal.drivers.base import OutboxLease, Pending, Sent
from shoal.errors import Unavailable
from shoal.testing.simulation.domain import Domain

if TYPE_CHECKING:
    from shoal.testing.simulation.database import Database, ModelStore

NOTICE = 0.3
"""Most seconds until a client that runs hears that the server took its right away."""


class Grip:
    """One right of one process."""

    def __init__(
        self, database: "Database", domain: Domain, opener: Callable[[], AbstractAsyncContextManager[Any]]
    ) -> None:
        self._database, self._domain = database, domain
        self._loop = asyncio.get_running_loop()
        self._taken: asyncio.Future[None] = self._loop.create_future()
        self._end: asyncio.Future[None] = self._loop.create_future()
        self.inner: Any = None
        self.held = False
        self.lost = asyncio.Event()
        database.enter(self, domain)
        self._task = database.serve(self._hold(opener))

    async def _hold(self, opener: Callable[[], AbstractAsyncContextManager[Any]]) -> None:
        async with opener() as self.inner:
            self.held = True
            if not self._taken.done():
                self._taken.set_result(None)
            try:
                await self._end
            finally:
                self.held = False

    async def take(self) -> None:
        """Wait for the right."""
        await self._taken

    def let_go(self) -> None:
        """Give it back."""
        self._database.leave(self)
        self.held = False
        self._task.cancel()

    def break_off(self) -> None:
        """Take it away; the client hears of it later, if it lives."""
        self.let_go()
        if not self._taken.done():
            self._taken.set_exception(Unavailable("the connection broke while a right was awaited", hint="try again"))
            return
        delay = self._database.chance.up_to(NOTICE)
        self._domain.run(lambda: self._loop.call_later(delay, self.lost.set))

    def require(self) -> None:
        """Raise `Unavailable` when it is no longer held."""
        if not self.held:
            raise Unavailable("the right was lost", hint="ask for it again")


class ModelLease:
    """A `base.Lease`."""

    def __init__(self, grip: Grip) -> None:
        self._grip = grip
        self.lost = grip.lost
        self.wanted: asyncio.Event = grip.inner.wanted


class ModelOutbox:
    """A `base.OutboxLease`."""

    def __init__(self, grip: Grip, store: "ModelStore") -> None:
        self._grip, self._store = grip, store

    async def _reach(self, what: str) -> OutboxLease:
        await self._store.travel(what)
        self._grip.require()
        inner: OutboxLease = self._grip.inner
        return inner

    async def pending(self, limit: int, besides: Sequence[int] = ()) -> Sequence[Pending]:
        """Read what waits."""
        return await (await self._reach("pending")).pending(limit, besides)

    async def sent(self, rows: Sequence[Sent]) -> None:
        """Mark rows."""
        await (await self._reach("sent")).sent(rows)
        if self._store.database.chance.strikes("commit.unknown"):
            raise Unavailable("the connection broke after rows were marked as sent", hint="try again")

    async def refuse(self, position: int, reason: str) -> None:
        """Set a row aside."""
        await (await self._reach("refuse")).refuse(position, reason)

    async def reprieve(self) -> int:
        """Let refused rows be tried again."""
        return await (await self._reach("reprieve")).reprieve()

    async def meet(self, made: str) -> int:
        """Note which stream there is."""
        return await (await self._reach("meet")).meet(made)

    async def highest(self) -> int:
        """Return the highest place."""
        return await (await self._reach("highest")).highest()

    async def forget(self, above: int) -> int:
        """Count rows as not sent."""
        return await (await self._reach("forget")).forget(above)

    async def rivals(self) -> bool:
        """Say whether others wait for the right."""
        return await (await self._reach("rivals")).rivals()

    async def tidy(self, window: timedelta) -> None:
        """Let go of what is old."""
        await (await self._reach("tidy")).tidy(window)
