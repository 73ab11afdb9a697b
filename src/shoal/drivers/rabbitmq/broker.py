"""One service's use of RabbitMQ."""

import asyncio
import contextlib
from collections.abc import Sequence

from shoal.drivers.base import Consumer, Delivery, Message, Outcome, Position, held
from shoal.drivers.base.holding import Holding
from shoal.drivers.rabbitmq.address import read
from shoal.drivers.rabbitmq.ends import position
from shoal.drivers.rabbitmq.link import Link
from shoal.drivers.rabbitmq.places import Places
from shoal.drivers.rabbitmq.publish import Publisher
from shoal.drivers.rabbitmq.reading import Reading
from shoal.drivers.rabbitmq.registry import Registry
from shoal.drivers.rabbitmq.wire import place_key
from shoal.errors import EngineError, Unavailable, Undeclared

FLUSH_SECONDS = 1.0
"""For so long a connection that is closed tries to write what is answered."""


class RabbitBroker:
    """A `base.Broker`."""

    def __init__(self, url: str) -> None:
        self._link = Link(read(url), self._opened, self._lost)
        self._registry = Registry(self._link, self._changed)
        self._publisher = Publisher(self._link, self._registry)
        self._places = Places(self._link)
        self._readings: dict[str, Reading] = {}
        self._beginning: dict[str, asyncio.Lock] = {}

    async def open(self) -> None:
        """Connect for ever."""
        await self._link.open()

    async def close(self) -> None:
        """Write what is answered, and let go of the connection."""
        if self._link.alive:
            with contextlib.suppress(EngineError, Undeclared, TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._flush()
        await self._places.stop()
        await self._link.close()

    async def ping(self) -> None:
        """Ask for a sign of life, after what was answered is written."""
        await self._link.ping(self._flush)

    @property
    def epoch(self) -> int:
        """How often the connection was made or lost."""
        return self._link.epoch

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        """Send all, one batch at a time."""
        return await self._publisher.publish(messages, after)

    async def position(self, stream: str) -> Position | None:
        """Look at both ends of the stream."""
        self._link.require()
        await self._registry.refresh()
        known = self._registry.known.stream(stream)
        if known is None:
            return None
        fallen = self._publisher.fallen
        found = await position(self._link, stream, known.made, fallen.get(stream))
        fallen.pop(stream, None)
        return found

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Take what was read for the consumer, or wait for it."""
        self._link.require()
        reading = await self._reading(consumer)
        holding = reading.holding
        found = await held.fetch(self, holding, limit, wait, reading.stir)
        self._places.refresh(holding)
        return found

    async def rewind(self, consumer: Consumer) -> None:
        """Begin again at the place that is written."""
        self._link.require()
        async with self._beginning.setdefault(place_key(consumer), asyncio.Lock()):
            await self._begin(consumer)

    def current(self, delivered: Holding) -> Holding | None:
        """Return what an answer to an earlier delivery counts for; None when the connection was lost since."""
        found = self._readings.get(place_key(delivered.consumer))
        same = found is not None and found.holding.epoch == delivered.epoch == self._link.epoch
        return found.holding if found is not None and same else None

    def settle(self, delivered: Holding, offset: int) -> None:
        """Never deliver a message again."""
        holding = self.current(delivered)
        if holding is not None:
            holding.settle(offset)
            self._places.commit_soon(holding)
            self._readings[place_key(holding.consumer)].stir()

    async def _reading(self, consumer: Consumer) -> Reading:
        key = place_key(consumer)
        async with self._beginning.setdefault(key, asyncio.Lock()):
            reading = self._readings.get(key)
            if reading is not None and reading.holding.epoch == self._link.epoch and reading.holding.fault is None:
                return reading
            return await self._begin(consumer)

    async def _begin(self, consumer: Consumer) -> Reading:
        """Read from the first unanswered message on."""
        epoch = self._link.epoch
        declared, stream = await self._registry.require_consumer(consumer)
        former = self._readings.get(place_key(consumer))
        if former is not None and former.holding.epoch == epoch and former.holding.made == stream.made:
            await self._places.flush(former.holding)
        first = await self._places.start(declared, stream.made)
        holding = Holding(consumer=declared, made=stream.made, next=first, committed=first, epoch=epoch)
        reading = Reading(self._link, self._registry, holding)
        await reading.begin()
        if self._link.epoch != epoch:
            reading.stop()
            raise self._link.away()
        self._readings[place_key(consumer)] = reading
        if former is not None:
            former.stop()
            former.holding.fail(Unavailable(f"consumer {consumer.name} was rewound meanwhile", hint="fetch again"))
        return reading

    async def _flush(self) -> None:
        for reading in [*self._readings.values()]:
            if reading.holding.epoch == self._link.epoch:
                await self._places.flush(reading.holding)

    def _changed(self) -> None:
        """Let who reads begin anew where a consumer is declared otherwise, or its stream was made anew."""
        for reading in self._readings.values():
            holding = reading.holding
            now = self._registry.known.consumer(holding.consumer.stream, holding.consumer.name)
            stream = self._registry.known.stream(holding.consumer.stream)
            if (
                now is None
                or stream is None
                or stream.made != holding.made
                or now.subjects != holding.consumer.subjects
            ):
                reading.stop()
                holding.fail(Unavailable(f"consumer {holding.consumer.name} was declared anew", hint="fetch again"))
            else:
                holding.consumer = now

    async def _opened(self) -> None:
        await self._registry.refresh()

    def _lost(self) -> None:
        self._registry.forget()
        self._publisher.forget()
        self._places.forget()
        readings, self._readings = [*self._readings.values()], {}
        for reading in readings:
            reading.stop()
            reading.holding.fail(self._link.away())
