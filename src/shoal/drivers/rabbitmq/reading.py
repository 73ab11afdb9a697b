"""Read a stream for one reader: the server sends as long as what it sent is answered."""

import asyncio
import logging
from collections import deque

from shoal.drivers.base.holding import Holding, Letter
from shoal.drivers.rabbitmq import library, wire
from shoal.drivers.rabbitmq.library import Parcel
from shoal.drivers.rabbitmq.link import Link
from shoal.drivers.rabbitmq.registry import Registry
from shoal.errors import ShoalError, Unavailable

AHEAD = 256
"""Messages that the server sends before any is answered."""

_log = logging.getLogger("shoal.rabbitmq")


class Reading:
    """A subscription that fills a holding, from its first unread message on."""

    def __init__(self, link: Link, registry: Registry, holding: Holding) -> None:
        self._link, self._registry, self.holding = link, registry, holding
        self._come: deque[Parcel] = deque()
        self._stirred = asyncio.Event()
        self._channel: library.Channel | None = None
        self._pump: asyncio.Task[None] | None = None
        self._tag = 0

    async def begin(self) -> None:
        """Subscribe, and read on until it is stopped."""
        stream = self.holding.consumer.stream
        channel = await self._link.channel()
        try:
            await self._link.ask(channel.barrier(AHEAD))
            await self._link.ask(channel.subscribe(stream, self.holding.next, self._heard))
        except library.Ended as ended:
            await channel.close()
            raise self._link.refusal(ended, f"read stream {stream}") from ended
        self._channel = channel
        channel.when_ended(self._ended)
        self._pump = asyncio.ensure_future(self._run())

    def stir(self) -> None:
        """Look again whether more is wanted."""
        self._stirred.set()

    def stop(self) -> None:
        """Read nothing more."""
        channel, self._channel = self._channel, None
        if self._pump is not None:
            self._pump.cancel()
        if channel is not None and channel.open and self._link.alive:
            closing = asyncio.ensure_future(channel.close())
            _CLOSING.add(closing)
            closing.add_done_callback(_CLOSING.discard)

    def _heard(self, parcel: Parcel) -> None:
        self._come.append(parcel)
        self._stirred.set()

    def _ended(self) -> None:
        if self._channel is not None:
            what = f"the server reads stream {self.holding.consumer.stream} to us no longer"
            self.holding.fail(Unavailable(what, hint="fetch again"))
            self.stop()

    async def _run(self) -> None:
        try:
            while True:
                await self._stirred.wait()
                self._stirred.clear()
                if self._come:
                    parcels, self._come = [*self._come], deque()
                    self.holding.read(await self._letters(parcels), parcels[-1].offset + 1)
                    self._tag = parcels[-1].tag
                if self._tag and self.holding.wants and self._channel is not None:
                    self._channel.ack(self._tag)
                    self._tag = 0
        except ShoalError as error:
            fault = error if isinstance(error, Unavailable) else Unavailable(str(error))
            self.holding.fail(fault)
        except Exception:  # noqa: BLE001 - nobody would read any more
            _log.exception("reading stream %s failed", self.holding.consumer.stream)
            self.holding.fail(Unavailable("reading failed", hint="fetch again"))

    async def _letters(self, parcels: list[Parcel]) -> list[Letter]:
        """Read messages; a subject that no stream takes was declared since what is declared was read."""
        letters = [wire.letter(p.offset, p.key, p.id, p.headers, p.body) for p in parcels]
        if any(x.message is not None and self._registry.route(x.message.subject) is None for x in letters):
            await self._registry.refresh()
        return letters


_CLOSING: set[asyncio.Task[None]] = set()
"""Channels that are being closed: nobody else holds what closes them."""
