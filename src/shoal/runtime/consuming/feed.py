"""Fill the hand with what the broker delivers, in order and without gaps."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from shoal.drivers.base import Consumer, Delivery, Mark
from shoal.errors import EngineError
from shoal.runtime.clock import monotonic_of
from shoal.runtime.consuming.accounts import account
from shoal.runtime.consuming.attempts import Tally
from shoal.runtime.consuming.desk import Desk
from shoal.runtime.consuming.hand import Hand
from shoal.runtime.consuming.item import Item, read

FETCH = 256
"""Most messages that are asked for at a time."""

WAIT = 5.0
"""Seconds that one look waits for the first message."""

SKEW = timedelta(seconds=5)
"""How far the broker's clock may be from ours. What it stored before our time may have been handled before our time."""

_log = logging.getLogger("shoal.consumer")


class Feed:
    """Fills the hand of one holder.

    Every delivery of a consumer has a number. When one is missing, a message went to somebody else, such as a member
    that died with a request open, or was lost. What follows must not overtake it, so the consumer is rewound.
    """

    def __init__(self, desk: Desk, consumer: Consumer, hand: Hand, tally: Tally, stir: Callable[[], None]) -> None:
        self._desk, self._consumer, self._hand, self._tally, self._stir = desk, consumer, hand, tally, stir
        self._clock = monotonic_of(desk.clock)
        self._space = asyncio.Event()
        self._epoch = -1
        self._number = 0
        self._since = desk.clock.now()
        self.empty = False
        """Whether the last look found nothing."""

    def freed(self) -> None:
        """Say that something was taken out of the hand."""
        self._space.set()

    async def run(self) -> None:
        """Take until cancelled, through every outage of broker and store."""
        while True:
            try:
                await self._take()
            except EngineError as error:
                _log.warning("cannot take from %s: %s", self._consumer.stream, error)
                await asyncio.sleep(0.25 + random.random() / 4)  # noqa: S311 - jitter
            except Exception:  # noqa: BLE001 - it must go on, whatever a driver raises
                _log.exception("taking from %s failed", self._consumer.stream)
                await asyncio.sleep(1 + random.random())  # noqa: S311 - jitter

    async def _take(self) -> None:
        while not self._hand.room:
            self._space.clear()
            await self._space.wait()
        if self._epoch != self._desk.broker.epoch:
            await self._rewind()
        deliveries = await self._desk.broker.fetch(self._consumer, min(FETCH, self._hand.room), WAIT)
        epoch, self._epoch = self._epoch, -1  # begin anew unless all of them get into the hand
        if await self._receive(self._following(deliveries)) == len(deliveries):
            self._epoch = epoch
        self.empty = not deliveries
        self._stir()

    async def _rewind(self) -> None:
        epoch = self._desk.broker.epoch
        await self._desk.broker.rewind(self._consumer)
        self._epoch, self._number, self._since = epoch, 0, self._desk.clock.now() + SKEW

    def _following(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Keep what follows without a gap."""
        kept = []
        for delivery in deliveries:
            if delivery.number != self._number + 1:
                _log.info("a delivery of %s went astray; taking it again", self._consumer.name)
                break
            self._number += 1
            kept.append(delivery)
        return kept

    async def _receive(self, deliveries: Sequence[Delivery]) -> int:
        """Put messages into the hand, except those that were done before; return how many there were."""
        now = self._desk.clock.now()
        fresh = [self._read(delivery, now) for delivery in deliveries if not self._repeats(delivery)]
        handled = await self._handled(fresh)
        for item in fresh:
            if item.attempts.state == "dead" and item.mark not in handled:
                item.attempts = await self._tally.read(self._desk.store, item.id)
            if item.attempts.state == "purged":
                await item.drop()
            elif item.mark is not None and item.mark in handled:
                await item.ack()
                account(self._desk, item, "duplicate", 0.0)
            elif not self._repeats(item.delivery):  # the same message from two places of the stream
                self._hand.add(item)
        return len(deliveries)

    def _repeats(self, delivery: Delivery) -> bool:
        """Tell whether a message is in hand already, and if so, how it is answered from now on."""
        item = self._hand.get(delivery.message.id)
        if item is None:
            return False
        if item.message.body != delivery.message.body:  # a stream was made anew, and counts from 1
            self._hand.remove(item)
            return False
        item.repeated(delivery)
        return True

    def _read(self, delivery: Delivery, now: datetime) -> Item:
        item = read(self._desk, delivery, now)
        item.taken = item.due = item.said = self._clock()
        item.attempts = self._tally.of(item.id)
        most = item.subscriber.policy.attempts if item.subscriber is not None else 1
        if item.attempts.state != "trying" or item.attempts.count >= most:  # a dead one's letter may be lost: once more
            item.fault = item.fault or (item.attempts.history[-1].error if item.attempts.history else "given up before")
        return item

    async def _handled(self, items: Sequence[Item]) -> frozenset[Mark]:
        """Look up those that somebody may have handled before us; that is rare, and else their marks would tell."""
        old = (item for item in items if item.delivery.at <= self._since or item.attempts.state == "dead")
        marks = [item.mark for item in old if item.mark is not None]
        return await self._desk.store.handled(marks) if marks else frozenset()
