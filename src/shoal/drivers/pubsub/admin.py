"""Topics and subscriptions, made and read by the operator."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from shoal.drivers.base import Consumer, Kept, Message, Outcome, Position, Stream
from shoal.drivers.base.together import together
from shoal.drivers.pubsub import letters, making, wire
from shoal.drivers.pubsub.address import read as read_address
from shoal.drivers.pubsub.link import Link
from shoal.drivers.pubsub.publish import Publisher
from shoal.drivers.pubsub.registry import Registry
from shoal.errors import EngineError


class _Hands(NamedTuple):
    link: Link
    registry: Registry


class PubsubAdmin:
    """A `base.BrokerAdmin`; each method connects for itself."""

    def __init__(self, url: str) -> None:
        self._address = read_address(url)

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Make topics and subscriptions, and write down what else there is.

        A subscription hears nothing of what was published before. So its stream counts as made anew, and those who
        publish to it do so once more, with all that their outboxes keep.
        """
        async with self._connected() as (link, registry):
            present = await making.subscriptions(link)
            now = time.time_ns() // 1_000_000
            await together(making.stream(link, registry, stream, present, now) for stream in streams)
            await registry.refresh()
            records = {name: await registry.require(name) for name in {each.stream for each in consumers}}
            await together(
                making.consumer(link, registry, records[each.stream], each, present, now) for each in consumers
            )

    async def missing(
        self, streams: Sequence[Stream], consumers: Sequence[Consumer]
    ) -> tuple[Sequence[Stream], Sequence[Consumer]]:
        """Compare with the topics and subscriptions that there are, and with what is written down."""
        async with self._connected() as (link, registry):
            present = await making.subscriptions(link)
            there = {record.stream.name for record in registry.streams}

            def hears(stream: str, name: str, topic: str) -> bool:
                return stream in there and present.get(name, {}).get("topic") == link.topic(topic)

            gone = [
                each
                for each in consumers
                if registry.consumer(each.stream, each.name) is None
                or not hears(each.stream, wire.subscription_name(each.stream, each.name), each.stream)
            ]
            lost = [
                each
                for each in streams
                if each.name not in there
                or (wire.keeps(each) and not all(hears(each.name, *pair) for pair in making.keeping(each.name)))
            ]
        return lost, gone

    async def positions(self) -> Mapping[str, Position]:
        """Say of each stream since when it is there; nothing can be counted."""
        async with self._connected() as (_, registry):
            return {record.stream.name: Position(last=0, made=str(record.made)) for record in registry.streams}

    async def lags(self, stream: str) -> Mapping[str, int]:
        """Name the consumers; Pub/Sub does not count for them."""
        async with self._connected() as (link, registry):
            await registry.require(stream)
            present = await making.subscriptions(link)
            names = [record.consumer.name for record in registry.heard(stream)]
            return {name: 0 for name in names if wire.subscription_name(stream, name) in present}

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        """Read letters: take all into hand, and give them back; of other streams nothing is kept."""
        async with self._connected() as (link, registry):
            await self._kept(registry, stream, "read again")
            async with letters.opened(link, stream) as found:
                kept = [letter.kept for letter in found.values() if letter.head.place > above]
        return sorted(kept, key=lambda each: each.sequence)[:limit]

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all."""
        async with self._connected() as (link, registry):
            return await Publisher(link, registry).publish(messages)

    async def remove(self, stream: str, sequences: Sequence[int]) -> None:
        """Take letters out of their subscription; of other streams nothing is kept."""
        async with self._connected() as (link, registry):
            await self._kept(registry, stream, "removed")
            async with letters.opened(link, stream) as found:
                await letters.remove(link, stream, found, {*sequences})

    async def _kept(self, registry: Registry, stream: str, what: str) -> None:
        record = await registry.require(stream)
        if not wire.keeps(record.stream):
            raise EngineError(
                f"Pub/Sub keeps nothing of stream {stream} that could be {what}",
                hint="only dead letters are kept; see docs/reference/brokers.md",
            )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Hands]:
        """Connect, and read what is declared."""
        link = Link(self._address)
        registry = Registry(link)
        try:
            await registry.refresh()
            yield _Hands(link, registry)
        finally:
            await link.close()
