"""One process's connection to the model broker: slow, breakable, at least once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import count, repeat
from typing import TYPE_CHECKING

from shoal.drivers.base import Consumer, Delivery, Message, Outcome, Position
from shoal.errors import Unavailable
from shoal.testing.simulation.domain import Domain

if TYPE_CHECKING:
    from shoal.testing.simulation.broker import ModelBroker

RECONNECT = 0.5
"""Most seconds between two attempts to connect."""


class Link:
    """A `base.Broker`."""

    def __init__(self, server: "ModelBroker", domain: Domain) -> None:
        self.server, self.domain = server, domain
        self.reachable = True
        self._epoch = 0
        self._connected = self._wanted = False
        self._broken = asyncio.Event()

    @property
    def epoch(self) -> int:
        """How often it connected."""
        return self._epoch

    async def open(self) -> None:
        """Connect."""
        self._wanted = True
        await asyncio.sleep(self.server.chance.latency())
        if not self._connect():
            self._later()
            raise Unavailable("the broker does not answer: open", hint="try again")

    async def close(self) -> None:
        """Let go."""
        self._wanted = self._connected = False

    async def ping(self) -> None:
        """Answer."""
        await self._travel("ping")

    def break_off(self) -> None:
        """Lose the connection, with everything that is under way; reconnect later."""
        if not self._connected:
            return
        self._connected = False
        self._broken.set()
        self.server.wake()
        self._later()

    def _connect(self) -> bool:
        if self._connected:
            return True
        if not (self.server.up and self.reachable and self._wanted):
            return False
        self._connected, self._broken = True, asyncio.Event()
        self._epoch += 1
        return True

    def _later(self) -> None:
        delay = self.server.chance.up_to(RECONNECT)
        self.domain.run(lambda: asyncio.get_running_loop().call_later(delay, self._again))

    def _again(self) -> None:
        if self._wanted and not self._connect():
            self._later()

    def _require(self, what: str, epoch: int) -> None:
        if not self._connected or epoch != self._epoch:
            raise Unavailable(f"the connection to the broker broke: {what}", hint="try again")

    async def _travel(self, what: str) -> None:
        epoch = self._epoch
        self._require(what, epoch)
        await asyncio.sleep(self.server.chance.latency())
        self._require(what, epoch)

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        """Store messages in order."""
        places = repeat(None) if after is None else count(after)
        chance, outcomes, epoch = self.server.chance, list[Outcome](), self._epoch
        unheard = len(messages)
        for message, place in zip(messages, places, strict=False):
            try:
                self._require("publish", epoch)
                if chance.strikes("publish.lost"):
                    unheard = chance.below(len(outcomes) + 1)
                    self.break_off()
                    self._require("publish", epoch)
            except Unavailable as error:
                outcomes.append(error)
                continue
            if chance.strikes("publish.forgotten"):
                self.server.forget_ids()
            outcomes.append(self.server.store(message, place))
            if chance.strikes("publish.unconfirmed"):
                outcomes[-1] = Unavailable("the acknowledgement of a message was lost", hint="publish it again")
            if not len(outcomes) % 8:
                await asyncio.sleep(chance.latency())
        await asyncio.sleep(chance.latency())
        lost = Unavailable("the connection broke before the acknowledgement", hint="publish it again")
        if epoch != self._epoch or not self._connected:
            unheard = min(unheard, chance.below(len(messages)))
        return [lost if number >= unheard else outcome for number, outcome in enumerate(outcomes)]

    async def position(self, stream: str) -> Position | None:
        """Say how far a stream has come."""
        await self._travel("position")
        return await self.server.position(stream)

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Take what is due, or wait for it."""
        loop, chance, epoch = asyncio.get_running_loop(), self.server.chance, self._epoch
        await self._travel("fetch")
        until = loop.time() + wait
        while True:
            self._require("fetch", epoch)
            if chance.strikes("delivery.again"):
                self.server.redeliver(consumer.stream, consumer.name)
            found = await self.server.fetch(consumer, limit, 0.0)
            left = until - loop.time()
            if found or left <= 0:
                break
            await self.server.news(consumer, min(left, self.server.soonest(consumer)))
        try:
            await asyncio.sleep(chance.latency())
        except asyncio.CancelledError:
            for delivery in found:
                await delivery.give_back()
            raise
        self._require("fetch", epoch)
        if found and chance.strikes("delivery.lost"):
            found = found[: chance.below(len(found))]
        return [LinkDelivery(self, delivery, epoch) for delivery in found]

    async def rewind(self, consumer: Consumer) -> None:
        """Deliver all that is unanswered again."""
        await self._travel("rewind")
        await self.server.rewind(consumer)
        await self._travel("rewound")

    def reaches(self, epoch: int) -> bool:
        """Tell whether an answer that belongs to a connection still arrives."""
        return self._connected and epoch == self._epoch and not self.server.chance.strikes("answer.lost")


class LinkDelivery:
    """A `base.Delivery`."""

    def __init__(self, link: Link, inner: Delivery, epoch: int) -> None:
        self._link, self._inner, self._epoch = link, inner, epoch
        loop = asyncio.get_running_loop()
        self._serial = loop.serial() if hasattr(loop, "serial") else id(self)

    def __hash__(self) -> int:
        return self._serial

    @property
    def message(self) -> Message:
        """The message."""
        return self._inner.message

    @property
    def sequence(self) -> int:
        """Its place in the stream."""
        return self._inner.sequence

    @property
    def at(self) -> datetime:
        """When the stream stored it."""
        return self._inner.at

    @property
    def number(self) -> int:
        """Which delivery of the consumer this is."""
        return self._inner.number

    async def ack(self) -> None:
        """Settle it."""
        if await self._sent():
            await self._inner.ack()

    async def progress(self) -> None:
        """Ask for more time."""
        if await self._sent():
            await self._inner.progress()

    async def drop(self) -> None:
        """Settle it."""
        if await self._sent():
            await self._inner.drop()

    async def _sent(self) -> bool:
        """Travel; answers are fire and forget, so nobody hears whether they arrive."""
        await asyncio.sleep(self._link.server.chance.latency())
        return self._link.reaches(self._epoch)
