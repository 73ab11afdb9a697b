"""A service's side of the events: its relay and its consumers, from the first connection to the drain."""

import asyncio
import logging
import time
from collections.abc import Sequence
from math import inf

from shoal.drivers.base import Broker, Consumer
from shoal.errors import EngineError
from shoal.runtime.consuming.desk import Desk
from shoal.runtime.consuming.loop import ConsumerLoop
from shoal.runtime.relay import Relay

LEAST = 0.5
"""Seconds that deliveries in hand get even when requests took all the time there was."""

_log = logging.getLogger("shoal.events")


class EventSide:
    """Connects to the broker for as long as it takes, then relays and consumes until stopped."""

    def __init__(self, desk: Desk, relay: Relay | None, consumers: Sequence[Consumer]) -> None:
        self._desk, self._relay = desk, relay
        self._loops = [ConsumerLoop(desk, c) for c in consumers]
        self._consuming: list[asyncio.Task[None]] = []
        self._background: list[asyncio.Task[None]] = []
        self._left = inf

    def start(self) -> None:
        """Begin in the background; commands are accepted meanwhile, their events wait in the outbox."""
        self._background.append(asyncio.create_task(self._connect()))

    def leave(self) -> None:
        """Take no further deliveries; those in hand go on."""
        self._left = min(self._left, time.monotonic())
        for loop in self._loops:
            loop.stop()

    async def stop(self, drain: float) -> None:
        """Finish deliveries in hand within `drain` seconds of leaving, announce what they committed, and end."""
        self.leave()
        if self._consuming:
            await asyncio.wait(self._consuming, timeout=max(LEAST, self._left + drain - time.monotonic()))
        await self._announce_rest()
        tasks = [*self._background, *self._consuming]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._desk.broker.close()

    async def _connect(self) -> None:
        await patiently(self._desk.broker)
        if self._relay is not None:
            self._background.append(asyncio.create_task(self._relay.run()))
        self._consuming += [asyncio.create_task(loop.run()) for loop in self._loops]

    async def _announce_rest(self) -> None:
        if self._relay is None:
            return
        try:
            async with asyncio.timeout(2.0):
                while (await self._desk.store.backlog()).count:
                    self._relay.poke()
                    await asyncio.sleep(0.01)
        except (TimeoutError, EngineError):
            _log.warning("stopping with events in the outbox; the next relay announces them")


async def patiently(broker: Broker) -> None:
    """Open a broker, however long it is away."""
    delay = 0.05
    while True:
        try:
            await broker.open()
        except EngineError as error:
            _log.warning("the broker is away, trying again in %.2f s: %s", delay, error)
        except Exception:  # noqa: BLE001 - nobody else would hear of it, whatever a driver raises
            _log.exception("the broker cannot be opened, trying again in %.2f s", delay)
        else:
            return
        await asyncio.sleep(delay)
        delay = min(delay * 2, 2.0)
