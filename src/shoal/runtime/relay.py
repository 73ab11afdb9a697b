"""Empty the outbox into the broker: one active relay per service, whichever replica holds the right."""

import asyncio
import logging

from shoal.drivers.base import Broker, OutboxLease, Published, Sent, Store
from shoal.errors import EngineError, Unavailable

BATCH = 500
"""Rows of one round."""

SHORTEST, LONGEST = 0.02, 0.5
"""Seconds between looks while nothing is announced in this process; other replicas announce too."""

_log = logging.getLogger("shoal.relay")


class Relay:
    """Publishes what transactions announced."""

    def __init__(self, store: Store, broker: Broker) -> None:
        self._store, self._broker = store, broker
        self._news = asyncio.Event()

    def poke(self) -> None:
        """Say that something was announced in this process."""
        self._news.set()

    async def run(self) -> None:
        """Relay until cancelled, through every outage of store and broker."""
        delay = 0.1
        while True:
            try:
                async with self._store.outbox() as lease:
                    await self._round(lease)
                    delay = 0.1
                    await self._drain_for_ever(lease)
            except EngineError as error:
                _log.warning("relay interrupted, trying again in %.1f s: %s", delay, error)
            except Exception:  # noqa: BLE001 - the relay must go on, whatever a driver raises
                _log.exception("relay failed, trying again in %.1f s", delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)

    async def _drain_for_ever(self, lease: OutboxLease) -> None:
        pause = SHORTEST
        while True:
            self._news.clear()
            if await self._round(lease):
                pause = SHORTEST
                continue
            try:
                await asyncio.wait_for(self._news.wait(), pause)
                pause = SHORTEST
            except TimeoutError:
                pause = min(pause * 1.5, LONGEST)

    async def _round(self, lease: OutboxLease) -> bool:
        rows = await lease.pending(BATCH)
        if not rows:
            return False
        outcomes = await self._broker.publish([row.message for row in rows])
        found = [*zip(rows, outcomes, strict=True)]
        await lease.sent([Sent(position=r.position, sequence=o.sequence) for r, o in found if isinstance(o, Published)])
        for row, outcome in found:
            if isinstance(outcome, Unavailable):
                raise outcome
            if isinstance(outcome, EngineError):
                await lease.refuse(row.position, outcome.message)
        return True
