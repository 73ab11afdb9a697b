"""One service's use of a cluster that speaks Kafka's protocol."""

import asyncio
import contextlib
from collections.abc import Sequence

from shoal.drivers.base import Consumer, Delivery, Message, Outcome, Position, held
from shoal.drivers.base.holding import Holding
from shoal.drivers.kafka.address import read
from shoal.drivers.kafka.ends import position
from shoal.drivers.kafka.link import Link
from shoal.drivers.kafka.offsets import Offsets
from shoal.drivers.kafka.publish import Publisher
from shoal.drivers.kafka.registry import Registry
from shoal.drivers.kafka.tail import Tail
from shoal.drivers.kafka.wire import DECLARED
from shoal.errors import EngineError, Unavailable, Undeclared

FLUSH_SECONDS = 1.0
"""For so long a connection that is closed tries to commit what is answered."""


class KafkaBroker:
    """A `base.Broker`."""

    def __init__(self, url: str) -> None:
        self._link = Link(read(url), self._opened, self._lost)
        self._registry = Registry(self._link)
        self._publisher = Publisher(self._link, self._registry)
        self._offsets = Offsets(self._link)
        self._holdings: dict[str, Holding] = {}
        self._beginning: dict[str, asyncio.Lock] = {}
        self._tail = Tail(self._link, self._registry, lambda: [*self._holdings.values()])

    async def open(self) -> None:
        """Connect for ever."""
        await self._link.open()

    async def close(self) -> None:
        """Commit what is answered, and let go of the connections."""
        if self._link.alive:
            with contextlib.suppress(EngineError, Undeclared, TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._flush()
        await self._offsets.stop()
        self._tail.stop()
        await self._link.close()

    async def ping(self) -> None:
        """Ask for a sign of life, after what was answered is committed."""
        await self._link.ping(self._flush)

    @property
    def epoch(self) -> int:
        """How often the connection was made or lost."""
        return self._link.epoch

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        """Send all, one batch at a time."""
        return await self._publisher.publish(messages, after)

    async def position(self, stream: str) -> Position | None:
        """Ask for both ends of the topic."""
        fallen = self._publisher.fallen
        found = await position(self._link, stream, fallen.get(stream))
        fallen.pop(stream, None)
        return found

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Take what was read for the consumer, or wait for it."""
        self._link.require()
        holding = await self._holding(consumer)
        found = await held.fetch(self, holding, limit, wait, self._tail.stir)
        self._offsets.refresh(holding)
        return found

    async def rewind(self, consumer: Consumer) -> None:
        """Begin again at the committed offset."""
        self._link.require()
        declared = await self._registry.require_consumer(consumer)
        async with self._beginning.setdefault(_key(consumer), asyncio.Lock()):
            await self._begin(declared)

    def current(self, delivered: Holding) -> Holding | None:
        """Return what an answer to an earlier delivery counts for; None when the connection was lost since."""
        found = self._holdings.get(_key(delivered.consumer))
        return found if found is not None and found.epoch == delivered.epoch == self._link.epoch else None

    def settle(self, delivered: Holding, offset: int) -> None:
        """Never deliver a message again."""
        holding = self.current(delivered)
        if holding is not None:
            holding.settle(offset)
            self._offsets.commit_soon(holding)

    async def _holding(self, consumer: Consumer) -> Holding:
        key = _key(consumer)
        async with self._beginning.setdefault(key, asyncio.Lock()):
            holding = self._holdings.get(key)
            if holding is not None and holding.epoch == self._link.epoch and holding.fault is None:
                return holding
            return await self._begin(await self._registry.require_consumer(consumer))

    async def _begin(self, consumer: Consumer) -> Holding:
        """Read from the first unanswered message on."""
        epoch = self._link.epoch
        former = self._holdings.get(_key(consumer))
        if former is not None and former.epoch == epoch:
            await self._offsets.flush(former)
        topic = await self._link.topic(consumer.stream, fresh=True)
        if topic is None:
            raise Unavailable(f"there is no stream {consumer.stream}", hint="declare it first")
        first = await self._offsets.start(consumer, topic)
        holding = Holding(consumer=consumer, made=topic.id, next=first, committed=first, epoch=epoch)
        await self._tail.catch_up(holding)
        if self._link.epoch != epoch:
            raise self._link.away()
        self._holdings[_key(consumer)] = holding
        if former is not None:
            former.fail(Unavailable(f"consumer {consumer.name} was rewound meanwhile", hint="fetch again"))
        await self._tail.follow(consumer.stream)
        self._tail.stir()
        return holding

    async def _flush(self) -> None:
        for holding in [*self._holdings.values()]:
            if holding.epoch == self._link.epoch:
                await self._offsets.flush(holding)

    async def _opened(self) -> None:
        await self._registry.refresh()
        await self._tail.follow(DECLARED)

    def _lost(self) -> None:
        self._registry.forget()
        self._tail.stop()
        self._offsets.forget()
        for holding in self._holdings.values():
            holding.fail(self._link.away())
        self._holdings.clear()  # the offsets of what comes back may be others


def _key(consumer: Consumer) -> str:
    return f"{consumer.stream} {consumer.name}"
