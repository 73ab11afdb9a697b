"""Wait for the right to work off one durable consumer, and use it."""

import asyncio
import logging
import random

from shoal.drivers.base import Consumer
from shoal.errors import EngineError
from shoal.runtime.consuming.desk import Desk
from shoal.runtime.consuming.tenure import Tenure

_log = logging.getLogger("shoal.consumer")


class ConsumerLoop:
    """One replica's share in one durable consumer, which one replica at a time works off."""

    def __init__(self, desk: Desk, consumer: Consumer) -> None:
        self._desk, self._consumer = desk, consumer
        self._leaving = asyncio.Event()
        self._holding = False

    def stop(self) -> None:
        """Take nothing more; what is being handled is finished."""
        self._leaving.set()

    async def run(self) -> None:
        """Take and handle until stopped, through every outage of broker and store."""
        serving, leaving = asyncio.create_task(self._serve()), asyncio.create_task(self._leaving.wait())
        try:
            await asyncio.wait({serving, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not self._holding:
                serving.cancel()
            await asyncio.wait({serving})
        finally:
            serving.cancel()
            leaving.cancel()
            await asyncio.gather(serving, leaving, return_exceptions=True)

    async def _serve(self) -> None:
        stream, name = self._consumer.stream, self._consumer.name
        while not self._leaving.is_set():
            try:
                right = self._desk.store.lease(f"consume {stream} {name}", group="consume")
                async with self._desk.metrics.held("consume", right) as lease:
                    self._holding = True
                    await Tenure(self._desk, self._consumer, lease, self._leaving).serve()
            except EngineError as error:
                _log.warning("%s is not taken from now: %s", stream, error)
                await asyncio.sleep(0.25 + random.random() / 4)  # noqa: S311 - jitter
            except Exception:  # noqa: BLE001 - the loop must go on, whatever a driver raises
                _log.exception("taking from %s failed", stream)
                await asyncio.sleep(1 + random.random())  # noqa: S311 - jitter
            finally:
                self._holding = False
