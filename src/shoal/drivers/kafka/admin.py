"""Streams and consumers, made and read by the operator's user."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from shoal.drivers.base import Consumer, Kept, Message, Outcome, Position, Stream
from shoal.drivers.base.holding import Letter
from shoal.drivers.base.subjects import covers
from shoal.drivers.kafka import library, wire
from shoal.drivers.kafka.address import Address
from shoal.drivers.kafka.address import read as read_address
from shoal.drivers.kafka.ends import ends, position
from shoal.drivers.kafka.link import ANSWER_SECONDS, Link
from shoal.drivers.kafka.offsets import Offsets
from shoal.drivers.kafka.publish import Publisher
from shoal.drivers.kafka.registry import Registry
from shoal.errors import EngineError, Unavailable

COPIES = 3
"""Nodes that keep a topic, where there are so many."""

COUNTED_BYTES = 64 * 1024 * 1024
"""Bytes that are read, at most, to count how far consumers are behind."""

_EXISTS = 36
_PAGE = 1024 * 1024


class _Hands(NamedTuple):
    link: Link
    registry: Registry


class KafkaAdmin:
    """A `base.BrokerAdmin`; each method connects for itself."""

    def __init__(self, url: str) -> None:
        self._address: Address = read_address(url)

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Make topics, and write down what else there is. An existing topic keeps its settings."""
        async with self._connected() as hands:
            copies = min(COPIES, await _nodes(hands.link))
            await _make(hands.link, wire.DECLARED, copies, {"cleanup.policy": "compact"})
            for stream in streams:
                await _make(hands.link, stream.name, copies, wire.settings(stream, copies))
            await hands.registry.refresh()
            made = {stream.name for stream in streams}
            for consumer in consumers:
                if consumer.stream not in made:
                    await hands.registry.require_stream(consumer.stream)
            entries = [wire.Entry(stream=stream) for stream in streams]
            entries += [wire.Entry(consumer=consumer) for consumer in consumers]
            await _write(hands, wire.DECLARED, [wire.written(e) for e in entries if not hands.registry.known(e)])

    async def missing(
        self, streams: Sequence[Stream], consumers: Sequence[Consumer]
    ) -> tuple[Sequence[Stream], Sequence[Consumer]]:
        """Compare with what is written down, and with the topics that there are."""
        async with self._connected() as hands:
            known = {stream.name for stream in hands.registry.streams()}
            there = {name for name in known if await hands.link.topic(name) is not None}
            gone = [c for c in consumers if c.stream not in there or hands.registry.consumer(c) is None]
        return [stream for stream in streams if stream.name not in there], gone

    async def positions(self) -> Mapping[str, Position]:
        """Ask for the ends of every topic that is written down."""
        found: dict[str, Position] = {}
        async with self._connected() as hands:
            for stream in hands.registry.streams():
                place = await position(hands.link, stream.name)
                if place is not None:
                    found[stream.name] = place
        return found

    async def lags(self, stream: str) -> Mapping[str, int]:
        """Read what lies behind the offset of each consumer, and count what it hears.

        What lies more than `COUNTED_BYTES` behind the first offset is not read: all of it counts.
        """
        async with self._connected() as hands:
            await hands.registry.require_stream(stream)
            topic = await _topic(hands.link, stream)
            offsets = Offsets(hands.link)
            consumers = hands.registry.consumers(stream)
            starts = {consumer.name: await offsets.start(consumer, topic) for consumer in consumers}
            counts = dict.fromkeys(starts, 0)
            if not starts:
                return counts
            left = COUNTED_BYTES
            async for letter in _letters(hands.link, topic, min(starts.values())):
                for consumer in consumers:
                    heard = letter.message is not None and covers(consumer.subjects, letter.message.subject)
                    counts[consumer.name] += heard and letter.offset >= starts[consumer.name]
                left -= 100 + len(letter.message.body if letter.message is not None else b"")
                if left <= 0:
                    _, end = await ends(hands.link, topic)
                    return {name: n + max(0, end - max(starts[name], letter.offset + 1)) for name, n in counts.items()}
        return counts

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        """Read a topic by offsets; what was removed from it is passed over, so letters are read twice."""
        async with self._connected() as hands:
            declared = await hands.registry.require_stream(stream)
            topic = await _topic(hands.link, stream)
            removed: dict[str, int] = {}
            if wire.keeps(declared):
                letters = _letters(hands.link, topic, above)
                removed = {letter.id: letter.offset async for letter in letters if letter.message is None}
            found: list[Kept] = []
            async for letter in _letters(hands.link, topic, above):
                if letter.kept is not None and removed.get(letter.id, -1) < letter.offset:
                    found.append(letter.kept)
                if len(found) >= limit:
                    break
        return found[:limit]

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all, one batch at a time."""
        async with self._connected() as hands:
            return await Publisher(hands.link, hands.registry).publish(messages)

    async def remove(self, stream: str, sequences: Sequence[int]) -> None:
        """Write the end of messages behind them, in a stream whose messages stay; from others Kafka takes none."""
        async with self._connected() as hands:
            if not wire.keeps(await hands.registry.require_stream(stream)):
                raise EngineError(
                    f"Kafka cannot take single messages out of stream {stream}",
                    hint="they go by themselves when they are old enough",
                )
            topic = await _topic(hands.link, stream)
            wanted = {sequence - 1 for sequence in sequences}
            ids: set[str] = set()
            async for letter in _letters(hands.link, topic, min(wanted, default=0)):
                if letter.message is None:
                    ids.discard(letter.id)
                elif letter.offset in wanted:
                    ids.add(letter.id)
            await _write(hands, stream, [wire.end_of(identity) for identity in sorted(ids)])

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[_Hands]:
        link: Link

        async def opened() -> None:
            await registry.refresh()

        link = Link(self._address, opened, lambda: None)
        registry = Registry(link)
        await link.open()
        try:
            yield _Hands(link, registry)
        finally:
            await link.close()


async def _nodes(link: Link) -> int:
    return len(library.nodes(await link.ask(library.metadata(()))))


async def _topic(link: Link, name: str) -> library.Topic:
    found = await link.topic(name)
    if found is None:
        raise Unavailable(f"there is no stream {name}", hint="declare it first")
    return found


async def _make(link: Link, name: str, copies: int, settings: Mapping[str, str]) -> None:
    if await link.topic(name) is not None:
        return
    answer = await link.ask(library.create_topic(name, copies, settings))
    _, error, said = answer.topic_errors[0]
    if error not in (0, _EXISTS):
        what = f"{link.address.place} did not make topic {name}: {said or library.error_name(error)}"
        raise EngineError(what, hint="the operator's user needs the right to create topics")


async def _write(hands: _Hands, topic: str, records: Sequence[wire.Parts]) -> None:
    if not records:
        return
    leader = (await _topic(hands.link, topic)).leader
    request = library.produce(topic, library.pack(records), ANSWER_SECONDS)
    error, _ = library.produced(await hands.link.ask(request, node=leader))
    if error:
        what = f"{hands.link.address.place} did not store into {topic}: {library.error_name(error)}"
        raise Unavailable(what, hint="try again")


async def _letters(link: Link, topic: library.Topic, first: int) -> AsyncIterator[Letter]:
    """Read a topic to its present end."""
    low, end = await ends(link, topic)
    at = max(first, low)
    while at < end:
        answer = await link.ask(library.fetch({topic.name: at}, 0.0, _PAGE), node=topic.leader)
        ((_, found),) = library.fetched(answer)
        for record in found.records:
            if at <= record.offset < end:
                yield wire.letter(record.offset, record.timestamp, (record.key, record.value, record.headers))
        if found.error:
            what = f"{link.address.place} does not say what is in {topic.name}: {library.error_name(found.error)}"
            raise Unavailable(what, hint="try again")
        if found.behind <= at:
            return
        at = found.behind
