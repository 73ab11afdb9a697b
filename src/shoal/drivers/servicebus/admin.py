"""Topics and subscriptions, made and read by the operator."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from shoal.drivers.base import Consumer, Kept, Message, Outcome, Position, Stream
from shoal.drivers.base.declared import StreamRecord
from shoal.drivers.base.together import together
from shoal.drivers.servicebus import atom, kept, making, wire
from shoal.drivers.servicebus.address import read as read_address
from shoal.drivers.servicebus.atom import Atom
from shoal.drivers.servicebus.link import Link
from shoal.drivers.servicebus.publish import Publisher
from shoal.drivers.servicebus.registry import Registry
from shoal.errors import EngineError


class _Hands(NamedTuple):
    link: Link
    registry: Registry
    manages: Atom


class ServicebusAdmin:
    """A `base.BrokerAdmin`; each method connects for itself."""

    def __init__(self, url: str) -> None:
        self._address = read_address(url)

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Make topics and subscriptions, and write down what else there is.

        A subscription hears nothing of what was published before. So its stream counts as made anew, and those who
        publish to it do so once more, with all that their outboxes keep.
        """
        async with self._connected() as (_, registry, manages):
            await making.ground(manages)
            present = await making.topics(manages)
            now = time.time_ns() // 1_000_000
            await together(making.stream(manages, registry, stream, present, now) for stream in streams)
            await registry.refresh()
            records = {name: await self._found(registry, name) for name in {each.stream for each in consumers}}
            await together(
                making.consumer(manages, registry, records[each.stream], each, present, now) for each in consumers
            )
            await registry.tidy()

    async def missing(
        self, streams: Sequence[Stream], consumers: Sequence[Consumer]
    ) -> tuple[Sequence[Stream], Sequence[Consumer]]:
        """Compare with the topics and subscriptions that there are, and with what is written down."""
        async with self._connected() as (_, registry, manages):
            present = await making.topics(manages)

            def hears(stream: str, name: str) -> bool:
                return registry.stream(stream) is not None and name in present.get(stream, {})

            gone = [
                each
                for each in consumers
                if registry.consumer(each.stream, each.name) is None
                or not hears(each.stream, wire.subscription_name(each.name))
            ]
            lost = [
                each
                for each in streams
                if registry.stream(each.name) is None
                or each.name not in present
                or (wire.keeps(each) and not hears(each.name, wire.LETTERS))
            ]
        return lost, gone

    async def positions(self) -> Mapping[str, Position]:
        """Say of each stream since when it is there; nothing of it can be counted."""
        async with self._connected() as (_, registry, manages):
            present = await manages.list("$Resources/topics")
            records = [record for record in registry.streams if record.stream.name in present]
            return {record.stream.name: Position(last=0, made=str(record.made)) for record in records}

    async def lags(self, stream: str) -> Mapping[str, int]:
        """Say what the subscriptions have."""
        async with self._connected() as (_, registry, manages):
            await self._found(registry, stream)
            present = await manages.list(f"{stream}/Subscriptions")
            names = {
                record.consumer.name: wire.subscription_name(record.consumer.name) for record in registry.heard(stream)
            }
            return {name: atom.count(present[place]) for name, place in names.items() if place in present}

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        """Look at letters; of other streams nothing is kept."""
        async with self._connected() as (link, registry, _):
            await self._kept(registry, stream, "read again")
            letters = await kept.look(link, stream, above, limit)
        return [
            Kept(sequence=letter.place or 0, at=letter.at, message=letter.message)
            for letter in letters
            if letter.message is not None
        ]

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all."""
        async with self._connected() as (link, registry, _):
            return await Publisher(link, registry).publish(messages)

    async def remove(self, stream: str, sequences: Sequence[int]) -> None:
        """Take letters away; of other streams nothing is kept."""
        async with self._connected() as (link, registry, _):
            await self._kept(registry, stream, "removed")
            await kept.remove(link, stream, sequences)

    async def _found(self, registry: Registry, stream: str) -> StreamRecord:
        found = registry.stream(stream)
        return await registry.require(stream) if found is None else found

    async def _kept(self, registry: Registry, stream: str, what: str) -> None:
        record = await registry.require(stream)
        if not wire.keeps(record.stream):
            raise EngineError(
                f"Service Bus keeps nothing of stream {stream} that could be {what}",
                hint="only dead letters are kept; see docs/reference/brokers.md",
            )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Hands]:
        """Connect, and read what is declared."""
        link = Link(self._address)
        registry = Registry(link)
        try:
            await registry.refresh()
            yield _Hands(link, registry, Atom(link))
        finally:
            await link.close()
