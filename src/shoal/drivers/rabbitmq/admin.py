"""Streams and consumers, made and read by the operator's user."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from shoal.drivers.base import Consumer, Kept, Message, Outcome, Position, Stream
from shoal.drivers.base.holding import Letter
from shoal.drivers.base.subjects import covers
from shoal.drivers.rabbitmq import library, wire
from shoal.drivers.rabbitmq.address import read as read_address
from shoal.drivers.rabbitmq.ends import ends, position, require_ends
from shoal.drivers.rabbitmq.library import Parcel
from shoal.drivers.rabbitmq.link import ANSWER_SECONDS, Link
from shoal.drivers.rabbitmq.making import make
from shoal.drivers.rabbitmq.places import Places
from shoal.drivers.rabbitmq.publish import Publisher
from shoal.drivers.rabbitmq.registry import Registry
from shoal.errors import EngineError, Unavailable

COUNTED_BYTES = 64 * 1024 * 1024
"""Bytes that are read, at most, to count how far consumers are behind."""

_AHEAD = 500


class _Hands(NamedTuple):
    link: Link
    registry: Registry


class RabbitAdmin:
    """A `base.BrokerAdmin`; each method connects for itself."""

    def __init__(self, url: str) -> None:
        self._address = read_address(url)

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Make queues, and write down what else there is. An existing stream keeps its age."""
        async with self._connected() as (link, registry):
            await make(link, registry, streams, consumers)

    async def missing(
        self, streams: Sequence[Stream], consumers: Sequence[Consumer]
    ) -> tuple[Sequence[Stream], Sequence[Consumer]]:
        """Compare with what is written down, and with the queues that there are."""
        async with self._connected() as (link, registry):
            queues = {stream.name for stream in streams} | {wire.place_queue(consumer) for consumer in consumers}
            there = await _existing(link, sorted(queues | {consumer.stream for consumer in consumers}))
            known = {s.stream.name for s in registry.known.streams} & there
            gone = [
                c
                for c in consumers
                if c.stream not in known
                or wire.place_queue(c) not in there
                or registry.known.consumer(c.stream, c.name) is None
            ]
        return [stream for stream in streams if stream.name not in known], gone

    async def positions(self) -> Mapping[str, Position]:
        """Look at the ends of every stream that is written down."""
        found: dict[str, Position] = {}
        async with self._connected() as (link, registry):
            for known in registry.known.streams:
                place = await position(link, known.stream.name, known.made)
                if place is not None:
                    found[known.stream.name] = place
        return found

    async def lags(self, stream: str) -> Mapping[str, int]:
        """Read what lies behind the place of each consumer, and count what it hears.

        What lies more than `COUNTED_BYTES` behind the first place is not read: all of it counts.
        """
        async with self._connected() as (link, registry):
            made = (await registry.require_stream(stream)).made
            _, end = await require_ends(link, stream)
            consumers = [c for c in registry.known.consumers if c.stream == stream]
            starts = {c.name: await Places(link).start(c, made) for c in consumers}
            counts = dict.fromkeys(starts, 0)
            left = COUNTED_BYTES
            async for letter in _letters(link, stream, min(starts.values(), default=end)):
                for consumer in consumers:
                    heard = letter.message is not None and covers(consumer.subjects, letter.message.subject)
                    counts[consumer.name] += heard and letter.offset >= starts[consumer.name]
                left -= 100 + len(letter.message.body if letter.message is not None else b"")
                if left <= 0:
                    return {name: n + max(0, end - max(starts[name], letter.offset + 1)) for name, n in counts.items()}
        return counts

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        """Read a stream by offsets; what was removed from it is passed over, so letters are read twice."""
        async with self._connected() as (link, registry):
            known = await registry.require_stream(stream)
            removed: set[str] = set()
            if wire.keeps(known.stream):
                removed = {letter.id async for letter in _letters(link, stream, above) if letter.message is None}
            found: list[Kept] = []
            async for letter in _letters(link, stream, above):
                if letter.kept is not None and str(letter.offset) not in removed:
                    found.append(letter.kept)
                if len(found) >= limit:
                    break
        return found[:limit]

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all, one batch at a time."""
        async with self._connected() as (link, registry):
            return await Publisher(link, registry).publish(messages)

    async def remove(self, stream: str, sequences: Sequence[int]) -> None:
        """Write the end of messages behind them, in a stream whose messages stay; from others RabbitMQ takes none."""
        async with self._connected() as (link, registry):
            if not wire.keeps((await registry.require_stream(stream)).stream):
                raise EngineError(
                    f"RabbitMQ cannot take single messages out of stream {stream}",
                    hint="they go by themselves when they are old enough",
                )
            wanted = {str(sequence - 1) for sequence in sequences}
            there: set[str] = set()
            gone: set[str] = set()
            async for letter in _letters(link, stream, max(0, min(sequences, default=1) - 1)):
                (gone if letter.message is None else there).add(
                    letter.id if letter.message is None else str(letter.offset)
                )
            channel = await link.channel()
            for offset in sorted(wanted & there - gone, key=int):
                ending = channel.publish("", stream, b"", identity=offset, mark=offset, headers={wire.REMOVED: True})
                await link.ask(ending)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Hands]:
        link: Link

        async def opened() -> None:
            await registry.refresh()

        link = Link(self._address, opened, lambda: None)
        registry = Registry(link, lambda: None)
        await link.open()
        try:
            yield _Hands(link, registry)
        finally:
            await link.close()


async def _existing(link: Link, queues: Sequence[str]) -> set[str]:
    found: set[str] = set()
    channel = await link.channel()
    for queue in queues:
        if not channel.open:
            channel = await link.channel()
        if await link.ask(channel.count(queue)) is not None:
            found.add(queue)
    return found


async def _letters(link: Link, stream: str, first: int) -> AsyncIterator[Letter]:
    """Read a stream to its present end."""
    bounds = await ends(link, stream)
    if bounds is None:
        raise Unavailable(f"there is no stream {stream}", hint="declare it first")
    at, end = max(first, bounds[0]), bounds[1]
    come: asyncio.Queue[Parcel] = asyncio.Queue()
    channel = await link.channel()
    try:
        await link.ask(channel.barrier(_AHEAD))
        if at < end:
            await link.ask(channel.subscribe(stream, at, come.put_nowait))
        while at < end:
            async with asyncio.timeout(ANSWER_SECONDS):
                parcel = await come.get()
            channel.ack(parcel.tag)
            at = parcel.offset + 1
            if parcel.offset < end:
                yield wire.letter(parcel.offset, parcel.key, parcel.id, parcel.headers, parcel.body)
    except library.Ended as ended:
        raise link.refusal(ended, f"read stream {stream}") from ended
    except TimeoutError as error:
        raise Unavailable(f"{link.address.place} does not say what is in {stream}", hint="try again") from error
    finally:
        await channel.close()
