"""How full the outbox is: measured now and then, so that asking costs nothing; beyond its bound nothing may enter."""

import asyncio
import contextlib
from math import inf

from shoal.drivers.base import Backlog, Store
from shoal.errors import EngineError, OutboxFull

BOUND = 1_000_000
"""Events that may wait for the broker. Some more may enter before the next measurement notices."""

FRESH_SECONDS = 1.0
"""Age up to which a measurement is believed."""


class Gauge:
    """Measures one outbox."""

    def __init__(self, store: Store, bound: int) -> None:
        self._store, self.bound = store, bound
        self._latest: Backlog | None = None
        self._at = -inf
        self._measuring: asyncio.Task[None] | None = None

    def admit(self) -> None:
        """Let an event in, or raise `OutboxFull`; an old measurement is renewed in the background."""
        if asyncio.get_running_loop().time() - self._at > FRESH_SECONDS and self._measuring is None:
            self._measuring = asyncio.create_task(self._renew())
        if self._latest is not None and self._latest.count >= self.bound:
            raise OutboxFull(
                f"{self._latest.count} events wait for the broker, and {self.bound} may",
                hint="it is away or too slow; try again once it takes events",
            )

    async def measure(self) -> Backlog:
        """Measure it now; raises as `Store.backlog`."""
        self._latest = await self._store.backlog()
        return self._latest

    async def _renew(self) -> None:
        try:
            with contextlib.suppress(EngineError):  # the store is away: whoever enters is told so anyway
                await self.measure()
        finally:
            self._at = asyncio.get_running_loop().time()
            self._measuring = None
