"""One service's use of topics and subscriptions."""

import asyncio
import contextlib
import functools
from collections.abc import Sequence

from shoal.drivers.base import Consumer, Delivery, Message, Outcome, Position, held
from shoal.drivers.base.declared import ConsumerRecord
from shoal.drivers.base.pulse import reach
from shoal.drivers.base.readings import Readings
from shoal.drivers.servicebus import kept, wire
from shoal.drivers.servicebus.address import read
from shoal.drivers.servicebus.link import PING_SECONDS, Link
from shoal.drivers.servicebus.meaning import Gone
from shoal.drivers.servicebus.publish import Publisher
from shoal.drivers.servicebus.reading import Reading
from shoal.drivers.servicebus.registry import Registry
from shoal.errors import Unavailable, Undeclared

FLUSH_SECONDS = 1.0
"""For so long a connection that is closed waits for what it said to be taken."""


class ServicebusBroker:
    """A `base.Broker`."""

    def __init__(self, url: str) -> None:
        self._link = Link(read(url))
        self._registry = Registry(self._link)
        self._publisher = Publisher(self._link, self._registry)
        self._readings = Readings(self._record, functools.partial(Reading, self._link), Reading.stop)

    async def open(self) -> None:
        """See whether it answers, and read what is declared."""
        await reach(self._registry.refresh, self._link.close, self._link.place)

    async def close(self) -> None:
        """Say what is answered, give back the rest, and let go of the connection."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._said()
        await self._readings.close()
        await self._link.close()

    async def ping(self) -> None:
        """Ask for a sign of life, after what was answered is taken."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._said()
                await kept.look(self._link, wire.REGISTRY.name, 0, 1)
        except (Gone, Undeclared):
            return
        except TimeoutError as error:
            raise Unavailable(f"{self._link.place} did not answer within {PING_SECONDS:g} s") from error

    @property
    def epoch(self) -> int:
        """How often it was reached again, or no longer."""
        return self._link.pulse.epoch

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        """Send all; no topic knows a place behind which something could stand."""
        del after
        return await self._publisher.publish(messages)

    async def position(self, stream: str) -> Position | None:
        """Ask whether the topic is there, and since when it has all its hearers."""
        await self._registry.refresh()
        record = self._registry.stream(stream)
        if record is None:
            return None
        try:
            await self._link.sender(stream)
        except Gone:
            return None
        return Position(last=0, made=str(record.made))

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Take what the session has, or wait for it, or for the session."""
        reading = await self._readings.of(consumer)
        try:
            with reading.waiting():
                return await held.fetch(self._readings, reading.holding, limit, wait, reading.stir)
        except Undeclared as error:
            raise _forbidden(consumer) from error

    async def rewind(self, consumer: Consumer) -> None:
        """Deliver again what is in hand here; what another has in hand comes when it gives the session back."""
        await self._readings.rewind(consumer)

    async def _said(self) -> None:
        await asyncio.gather(*(reading.said() for reading in self._readings.all))

    async def _record(self, consumer: Consumer) -> ConsumerRecord:
        """Look up what is declared of a consumer now."""
        try:
            await self._registry.refresh()
        except Undeclared as error:
            raise _forbidden(consumer) from error
        record = self._registry.consumer(consumer.stream, consumer.name)
        if record is None:
            what = f"there is no consumer {consumer.name} of stream {consumer.stream}"
            raise Gone(what, hint="declare it first")
        return record


def _forbidden(consumer: Consumer) -> Undeclared:
    what = f"this service may not take from consumer {consumer.name} of stream {consumer.stream}"
    return Undeclared(what, hint="declare what it hears, and give who it is the right to listen there")
