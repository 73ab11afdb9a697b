"""Topics, queues and subscriptions, made and read by the operator's keys."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from shoal.drivers.aws.address import AwsAddress
from shoal.drivers.aws.address import read as read_address
from shoal.drivers.base import Consumer, Kept, Message, Outcome, Position, Stream
from shoal.drivers.base.together import together
from shoal.drivers.sns import letters, making, wire
from shoal.drivers.sns.link import Link
from shoal.drivers.sns.publish import Publisher
from shoal.drivers.sns.registry import Registry
from shoal.drivers.sns.wire import Record
from shoal.errors import EngineError


class _Hands(NamedTuple):
    link: Link
    registry: Registry


class SnsAdmin:
    """A `base.BrokerAdmin`; each method connects for itself."""

    def __init__(self, url: str) -> None:
        self._address: AwsAddress = read_address(url)

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Make topics, queues and subscriptions, and write down what else there is.

        A queue that is new to a stream that is not hears nothing of what was published before. So the stream counts as
        made anew, and those who publish to it do so once more, with all that their outboxes keep.
        """
        async with self._connected() as hands:
            registry = hands.registry
            await registry.refresh()
            topics = await making.topics(hands.link)
            now = time.time_ns() // 1_000_000
            await together(making.stream(hands.link, registry, stream, topics, now) for stream in streams)
            hears: dict[str, list[Consumer]] = {}
            for consumer in consumers:
                hears.setdefault(consumer.stream, []).append(consumer)
            for name, some in hears.items():
                record = registry.known(name) or await registry.require(name)
                await making.consumers(hands.link, registry, record, some, now)

    async def missing(
        self, streams: Sequence[Stream], consumers: Sequence[Consumer]
    ) -> tuple[Sequence[Stream], Sequence[Consumer]]:
        """Compare with the topics, queues and subscriptions that there are."""
        async with self._connected() as (link, registry):
            await registry.refresh()
            topics = await making.topics(link)
            there = {r.stream.name: r.topic for r in registry.records if r.topic in topics}
            queues = {url.rpartition("/")[2] for url in await making.pages(link, "sqs", "list_queues", "QueueUrls")}
            subscriptions = await making.pages(link, "sns", "list_subscriptions", "Subscriptions")
            hearing = {(one["TopicArn"], one["Endpoint"]) for one in subscriptions}

        def hears(stream: str, queue: str) -> bool:
            topic = there.get(stream, "")
            return bool(topic) and queue in queues and (topic, wire.queue_arn(topic, queue)) in hearing

        gone = [c for c in consumers if not hears(c.stream, wire.queue_name(c.stream, c.name))]
        lost = [s for s in streams if s.name not in there]
        lost += [s for s in streams if s not in lost and wire.keeps(s) and not hears(s.name, wire.letters_name(s.name))]
        return lost, gone

    async def positions(self) -> Mapping[str, Position]:
        """Say of each stream since when it is there; only letters can be counted."""
        found: dict[str, Position] = {}
        async with self._connected() as (link, registry):
            await registry.refresh()
            topics = await making.topics(link)
            for record in registry.records:
                if record.topic in topics:
                    count = 0
                    if wire.keeps(record.stream):
                        _, count = await letters.count(link, await _letters_url(link, record))
                    found[record.stream.name] = Position(last=0, count=count, made=str(record.made))
        return found

    async def lags(self, stream: str) -> Mapping[str, int]:
        """Ask each queue how much is in it, in hand or not."""
        async with self._connected() as (link, registry):
            record = await registry.require(stream)
            queues = [arn.rpartition(":")[2] for arn in await making.subscriptions(link, record.topic)]
            heard = [queue for queue in queues if queue != wire.letters_name(stream)]
            return dict(await together(_lag(link, stream, queue) for queue in heard))

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        """Read letters: take all into hand, and give them back; of other streams nothing is kept."""
        async with self._connected() as (link, registry):
            record = await self._kept(registry, stream, "read again")
            async with letters.opened(link, await _letters_url(link, record)) as found:
                kept = [letter.kept for letter in found if letter.head.place > above]
        return kept[:limit]

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all, one batch at a time."""
        async with self._connected() as (link, registry):
            await registry.refresh()
            return await Publisher(link, registry).publish(messages)

    async def remove(self, stream: str, sequences: Sequence[int]) -> None:
        """Take letters out of their queue; of other streams nothing is kept."""
        async with self._connected() as (link, registry):
            record = await self._kept(registry, stream, "removed")
            url, wanted = await _letters_url(link, record), {*sequences}
            async with letters.opened(link, url) as found:
                await letters.remove(link, url, [letter for letter in found if letter.head.place in wanted])

    async def _kept(self, registry: Registry, stream: str, what: str) -> Record:
        record = await registry.require(stream)
        if not wire.keeps(record.stream):
            raise EngineError(
                f"SNS keeps nothing of stream {stream} that could be {what}",
                hint="only dead letters are kept; see docs/reference/brokers.md",
            )
        return record

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Hands]:
        link = Link(self._address)
        try:
            yield _Hands(link, Registry(link))
        finally:
            await link.close()


async def _lag(link: Link, stream: str, queue: str) -> tuple[str, int]:
    """Count what is in the queue of a consumer; say whose it is."""
    url = (await link.ask("sqs", "get_queue_url", QueueName=queue))["QueueUrl"]
    _, count = await letters.count(link, url)
    name = queue.removesuffix(".fifo").removeprefix(f"{stream}-")
    if wire.queue_name(stream, name) != queue or not queue.startswith(f"{stream}-"):  # it was too long for a name
        name = (await link.ask("sqs", "list_queue_tags", QueueUrl=url)).get("Tags", {}).get(wire.NAME, queue)
    return name, count


async def _letters_url(link: Link, record: Record) -> str:
    answer = await link.ask("sqs", "get_queue_url", QueueName=wire.letters_name(record.stream.name))
    return str(answer["QueueUrl"])
