"""Make what is declared: queues, their bindings, and the document that says what there is."""

import uuid
from collections.abc import Sequence

import msgspec

from shoal.drivers.base import Consumer, Stream
from shoal.drivers.rabbitmq import library, wire
from shoal.drivers.rabbitmq.link import Link
from shoal.drivers.rabbitmq.registry import Registry
from shoal.errors import EngineError, Unavailable

DOCUMENT = {
    "x-queue-type": "stream",
    "x-max-length-bytes": 16 * 1024 * 1024,
    "x-stream-max-segment-size-bytes": 4 * 1024 * 1024,
}
"""Arguments of the stream of what is declared."""

_PLACE = {
    "x-queue-type": "stream",
    "x-max-length-bytes": 512 * 1024,
    "x-stream-max-segment-size-bytes": 256 * 1024,
}


async def make(link: Link, registry: Registry, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
    """Make what is not there, adapt what is, and write down what there is now."""
    maker = _Maker(link)
    try:
        for exchange in (wire.EVENTS, wire.PLACES):
            await link.ask((await maker.channel()).make_exchange(exchange))
        if await maker.count(wire.DECLARED) is None:
            await link.ask((await maker.channel()).make_queue(wire.DECLARED, DOCUMENT))
        await registry.refresh()
        known = [await maker.stream(stream, registry.known.stream(stream.name)) for stream in streams]
        after = wire.merged(registry.known, known, consumers)
        for consumer in consumers:
            if after.stream(consumer.stream) is None:
                raise Unavailable(f"there is no stream {consumer.stream}", hint="declare it first")
            await maker.place(consumer)
        if after != registry.known:
            said = (await maker.channel()).publish("", wire.DECLARED, msgspec.json.encode(after), mark="declared")
            await link.ask(said)
    except library.Ended as ended:
        if ended.missing:
            raise link.refusal(ended, "declare streams and consumers") from ended
        what = f"{link.address.place} refused what is declared: {ended.text}"
        raise EngineError(what, hint="the operator's user needs all rights in its virtual host") from ended
    except library.NotTaken as error:
        raise Unavailable(f"{link.address.place} did not store what is declared: {error}", hint="try again") from error


class _Maker:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._channel: library.Channel | None = None

    async def channel(self) -> library.Channel:
        """Return a channel; one that asked for what is not there has ended."""
        if self._channel is None or not self._channel.open:
            self._channel = await self._link.channel()
        return self._channel

    async def count(self, queue: str) -> int | None:
        return await self._link.ask((await self.channel()).count(queue))

    async def stream(self, stream: Stream, before: wire.Known | None) -> wire.Known:
        made = before.made if before is not None else ""
        if await self.count(stream.name) is None or not made:
            await self._link.ask((await self.channel()).make_queue(stream.name, wire.settings(stream)))
            made = uuid.uuid4().hex
        channel = await self.channel()
        for subject in stream.subjects:
            await self._link.ask(channel.bind(stream.name, wire.EVENTS, wire.pattern(subject)))
        for subject in before.stream.subjects if before is not None else ():
            if subject not in stream.subjects:
                await self._link.ask(channel.unbind(stream.name, wire.EVENTS, wire.pattern(subject)))
        return wire.Known(stream=stream, made=made)

    async def place(self, consumer: Consumer) -> None:
        """Make the stream of a consumer's places."""
        name = wire.place_queue(consumer)
        if await self.count(name) is None:
            await self._link.ask((await self.channel()).make_queue(name, _PLACE))
        await self._link.ask((await self.channel()).bind(name, wire.PLACES, wire.place_key(consumer)))
