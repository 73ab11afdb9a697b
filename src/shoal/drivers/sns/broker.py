"""One service's use of topics and queues."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime

from shoal.drivers.aws.address import read
from shoal.drivers.base import Consumer, Delivery, Message, Outcome, Position
from shoal.drivers.base.pulse import reach
from shoal.drivers.sns import wire
from shoal.drivers.sns.answers import Answers
from shoal.drivers.sns.holding import Holding
from shoal.drivers.sns.link import PING_SECONDS, Gone, Link
from shoal.drivers.sns.publish import Publisher
from shoal.drivers.sns.registry import Registry
from shoal.drivers.sns.wire import Letter
from shoal.errors import EngineError, Unavailable, Undeclared

FLUSH_SECONDS = 1.0
"""For so long a connection that is closed tries to say what is answered, and to give back what is not."""


class SnsBroker:
    """A `base.Broker`."""

    def __init__(self, url: str) -> None:
        self._link = Link(read(url))
        self._registry = Registry(self._link)
        self._publisher = Publisher(self._link, self._registry)
        self._holdings: dict[str, Holding] = {}
        self._beginning: dict[str, asyncio.Lock] = {}

    async def open(self) -> None:
        """See whether it answers, and read what is declared."""
        await reach(self._registry.refresh, self._link.close, self._link.place)

    async def close(self) -> None:
        """Say what is answered, give back the rest at once, and let go of the connections."""
        holdings = [*self._holdings.values()]
        self._holdings.clear()
        await asyncio.gather(*(holding.stop() for holding in holdings))
        with contextlib.suppress(EngineError, Undeclared, TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await asyncio.gather(*(holding.answers.show(holding.begin()) for holding in holdings))
        await asyncio.gather(*(holding.answers.stop() for holding in holdings))
        await self._link.close()

    async def ping(self) -> None:
        """Ask for a sign of life, after what was answered is said."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PING_SECONDS):
                await asyncio.gather(*(holding.answers.flush() for holding in self._holdings.values()))
        await self._link.ping()

    @property
    def epoch(self) -> int:
        """How often it was reached again, or no longer."""
        return self._link.pulse.epoch

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        """Send all, a batch at a time; no topic knows a place behind which something could stand."""
        del after
        return await self._publisher.publish(messages)

    async def position(self, stream: str) -> Position | None:
        """Ask whether the topic is there, and since when it has all its hearers."""
        await self._registry.refresh()
        record = self._registry.known(stream)
        if record is None:
            return None
        try:
            await self._link.ask("sns", "get_topic_attributes", TopicArn=record.topic)
        except Gone:
            return None
        return Position(last=0, made=str(record.made))

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Take what the queue gives out, or wait for it."""
        holding = await self._holding(consumer)
        try:
            return [SnsDelivery(holding, *one) for one in await holding.take(limit, wait)]
        except Gone as error:
            self._holdings.pop(_key(consumer), None)
            raise Unavailable(f"there is no consumer {consumer.name} of stream {consumer.stream}") from error
        except Undeclared as error:
            raise _forbidden(consumer) from error

    async def rewind(self, consumer: Consumer) -> None:
        """Give back what is in hand here, so that it comes again; what others have in hand comes when its time ends."""
        async with self._beginning.setdefault(_key(consumer), asyncio.Lock()):
            former = self._holdings.get(_key(consumer))
            if former is not None:
                await former.answers.show(former.begin())
            await self._begin(consumer)

    async def _holding(self, consumer: Consumer) -> Holding:
        async with self._beginning.setdefault(_key(consumer), asyncio.Lock()):
            holding = self._holdings.get(_key(consumer))
            if holding is None:
                return await self._begin(consumer)
            holding.consumer = consumer
            return holding

    async def _begin(self, consumer: Consumer) -> Holding:
        """Look up the queue of a consumer, and since when it is there."""
        name = wire.queue_name(consumer.stream, consumer.name)
        try:
            url = (await self._link.ask("sqs", "get_queue_url", QueueName=name))["QueueUrl"]
            tags = (await self._link.ask("sqs", "list_queue_tags", QueueUrl=url)).get("Tags", {})
        except Gone as error:
            what = f"there is no consumer {consumer.name} of stream {consumer.stream}"
            raise Unavailable(what, hint="declare it first") from error
        except Undeclared as error:
            raise _forbidden(consumer) from error
        since = int(tags.get(wire.SINCE, "0"))
        holding = self._holdings.get(_key(consumer))
        if holding is None or holding.url != url:
            answers = Answers(self._link, url)
            holding = self._holdings[_key(consumer)] = Holding(self._link, consumer, url, since, answers)
        holding.consumer, holding.since = consumer, since
        return holding


class SnsDelivery:
    """A `base.Delivery`."""

    def __init__(self, holding: Holding, number: int, letter: Letter) -> None:
        self._holding, self._number, self._letter = holding, number, letter
        self._answered = False

    @property
    def message(self) -> Message:
        """The message."""
        return self._letter.message

    @property
    def sequence(self) -> int:
        """A number that its publisher gave it and no other has: a topic counts none."""
        return self._letter.head.place

    @property
    def at(self) -> datetime:
        """When the queue stored it."""
        return self._letter.at

    @property
    def number(self) -> int:
        """Which delivery this is in this process; what goes to others is of other keys, so it leaves no gap."""
        return self._number

    async def ack(self) -> None:
        """Take it out of the queue."""
        self._settle()

    async def drop(self) -> None:
        """Take it out of the queue: it does not come again either way."""
        self._settle()

    async def progress(self) -> None:
        """Keep it from others for longer."""
        if not self._answered:
            self._holding.postpone(self._letter.name)

    def _settle(self) -> None:
        if not self._answered:
            self._answered = True
            self._holding.settle(self._letter.name, self._letter.receipt)


def _key(consumer: Consumer) -> str:
    return f"{consumer.stream} {consumer.name}"


def _forbidden(consumer: Consumer) -> Undeclared:
    what = f"this service may not take from consumer {consumer.name} of stream {consumer.stream}"
    return Undeclared(what, hint="declare what it hears, and give its role that right")
