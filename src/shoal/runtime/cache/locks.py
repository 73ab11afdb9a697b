"""`Locks` over a driver's leases."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shoal.errors import Contended, EngineError
from shoal.runtime.cache.guard import Guarded
from shoal.runtime.cache.values import check_ttl

_FIRST, _LONGEST = 0.01, 0.25
"""Seconds between two questions for a lease that somebody has."""


class HeldLease:
    """Implements `shoal.Held`."""

    def __init__(self, token: int, until: float) -> None:
        self._token, self.until = token, until
        self.gone = False

    @property
    def token(self) -> int:
        """The fencing token."""
        return self._token

    @property
    def lost(self) -> bool:
        """Whether somebody else has it by now, or may."""
        return self.gone or asyncio.get_running_loop().time() >= self.until


class Leases:
    """Implements `shoal.Locks`."""

    def __init__(self, guarded: Guarded) -> None:
        self._guarded = guarded

    @asynccontextmanager
    async def hold(self, name: str, *, ttl: float = 10.0, wait: float = 0.0) -> AsyncIterator[HeldLease]:
        """Hold a right for the length of a block."""
        check_ttl(ttl)
        held = await self._take(name, ttl, wait)
        renewing = asyncio.create_task(self._renew(name, held, ttl))
        try:
            yield held
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._guarded.attempt("lease", lambda cache: cache.release(name, held.token), otherwise=False)

    async def _take(self, name: str, ttl: float, wait: float) -> HeldLease:
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + wait, _FIRST
        while True:
            asked = loop.time()
            token = await self._guarded.ask("lease", lambda cache: cache.acquire(name, ttl))
            if token is not None:
                return HeldLease(token, asked + ttl)
            if loop.time() + pause > until:
                raise Contended(f"somebody else holds {name!r}", hint="try again, or give wait= seconds")
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - so that not all ask at once
            pause = min(2 * pause, _LONGEST)

    async def _renew(self, name: str, held: HeldLease, ttl: float) -> None:
        loop = asyncio.get_running_loop()
        while not held.gone:
            await asyncio.sleep(ttl / 3)
            asked = loop.time()
            try:
                held.gone = not await self._guarded.ask("lease", lambda cache: cache.renew(name, held.token, ttl))
            except EngineError:
                continue  # until its time is over it may come back
            if not held.gone:
                held.until = asked + ttl
