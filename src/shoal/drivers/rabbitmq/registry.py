"""Which streams and consumers are declared: the last message of a stream says it all."""

import asyncio
from collections.abc import Callable

from shoal.drivers.base import Consumer
from shoal.drivers.rabbitmq import library, wire
from shoal.drivers.rabbitmq.ends import edge
from shoal.drivers.rabbitmq.library import Parcel
from shoal.drivers.rabbitmq.link import Link
from shoal.drivers.rabbitmq.wire import Declared, Known
from shoal.errors import Unavailable

HINT = "declare the streams and consumers first"


class Registry:
    """What is declared, as far as it was heard.

    Args:
        link: Whom to ask.
        changed: Called when something else is declared than before.
    """

    def __init__(self, link: Link, changed: Callable[[], None]) -> None:
        self._link, self._changed = link, changed
        self._turn = asyncio.Lock()
        self._asked = self._answered = 0
        self._forget()

    def _forget(self) -> None:
        self.known = Declared()
        """All that is declared."""
        self._routes: dict[str, Known | None] = {}
        self._at = -1
        self._following: library.Channel | None = None

    def forget(self) -> None:
        """Begin anew: the broker may be another one."""
        self._forget()

    async def refresh(self) -> None:
        """Read what is declared now; nothing when the broker has never heard of it. Many ask at a time."""
        self._asked += 1
        mine = self._asked
        async with self._turn:
            if self._answered < mine:
                upto = self._asked
                await self._read()
                self._answered = upto

    async def _read(self) -> None:
        epoch = self._link.epoch
        await self._follow()
        found = await edge(self._link, wire.DECLARED)
        if self._link.epoch != epoch:
            raise self._link.away()
        if found is None:
            self.known, self._at = Declared(), -1
            self._routes.clear()
            return
        for parcel in found[1]:
            self._hear(parcel)

    async def _follow(self) -> None:
        """Hear what is declared from now on."""
        if self._following is not None and self._following.open:
            return
        channel = await self._link.channel()
        try:
            await self._link.ask(channel.barrier(1000))
            await self._link.ask(channel.subscribe(wire.DECLARED, "next", lambda parcel: self._heard(channel, parcel)))
        except library.Ended as ended:
            if not ended.missing:
                raise self._link.refusal(ended, "read what is declared") from ended
            return
        self._following = channel
        channel.when_ended(lambda: self._unfollow(channel))

    def _unfollow(self, channel: library.Channel) -> None:
        """Begin anew: what was declared is deleted, so that nothing that was known holds."""
        if self._following is channel:
            self._link.lose()

    def _heard(self, channel: library.Channel, parcel: Parcel) -> None:
        if self._following in (channel, None):
            self._hear(parcel)
            channel.ack(parcel.tag)

    def _hear(self, parcel: Parcel) -> None:
        if parcel.offset > self._at:
            self.known, self._at = wire.declared(parcel.body), parcel.offset
            self._routes.clear()
            self._changed()

    def route(self, subject: str) -> Known | None:
        """Find the stream that takes a subject; None when none does."""
        if subject not in self._routes:
            self._routes[subject] = self.known.taker(subject)
        return self._routes[subject]

    async def require_consumer(self, wanted: Consumer) -> tuple[Consumer, Known]:
        """Return how a consumer is declared now, and its stream, or raise `Unavailable`."""
        await self.refresh()
        found = self.known.consumer(wanted.stream, wanted.name)
        stream = self.known.stream(wanted.stream)
        if found is None or stream is None:
            raise Unavailable(f"there is no consumer {wanted.name} of stream {wanted.stream}", hint=HINT)
        return found, stream

    async def require_stream(self, name: str) -> Known:
        """Return how a stream is declared, or raise `Unavailable`."""
        await self.refresh()
        found = self.known.stream(name)
        if found is None:
            raise Unavailable(f"there is no stream {name}", hint="declare it first")
        return found
