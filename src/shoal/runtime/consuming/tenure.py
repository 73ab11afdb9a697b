"""One member's time as the holder of a durable consumer: from the rewind to the last answer."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Coroutine, Sequence
from math import inf
from typing import Any

from shoal.drivers.base import Consumer, Lease
from shoal.errors import EngineError, ShoalError
from shoal.runtime.clock import monotonic_of, when_moved
from shoal.runtime.consuming.accounts import account
from shoal.runtime.consuming.attempts import NONE, Tally, Try
from shoal.runtime.consuming.burial import Burial, delay
from shoal.runtime.consuming.desk import Desk
from shoal.runtime.consuming.feed import Feed
from shoal.runtime.consuming.hand import Hand
from shoal.runtime.consuming.item import Item
from shoal.runtime.consuming.work import BATCH, Results, Worker

STRANGE_SECONDS = 480.0
"""For so long an event that no handler here knows is kept: a replica with newer code may take over."""

CALM_SECONDS = 60.0
"""A holder that lived so long was not ended by a message."""

SUSPICIOUS = 2
"""Holders in a row that ended without leaving in order, after which a message is suspected of it."""

ENDED = "the process ended while it was handled"

_log = logging.getLogger("shoal.consumer")


class Tenure:
    """Serves one consumer for as long as its right to it lasts."""

    def __init__(self, desk: Desk, consumer: Consumer, lease: Lease, leaving: asyncio.Event) -> None:
        self._desk, self._consumer, self._lease, self._leaving = desk, consumer, lease, leaving
        self._clock = monotonic_of(desk.clock)
        self._stir = asyncio.Event()
        self._hand = Hand(consumer.max_in_hand)
        self._tally = Tally(f"{consumer.stream}/{consumer.name}")
        self._feed = Feed(desk, consumer, self._hand, self._tally, self._stir.set)
        self._worker = Worker(desk, self._tally)
        self._burial = Burial(desk, self._tally, consumer.stream)
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._sharing = False
        self._not_before = 0.0
        """When the store is looked at again after it was away."""
        self._suspects = 0
        """Messages that are still to be handled each alone."""

    async def serve(self) -> None:
        """Work until the right is lost or wanted, or this process leaves; what is begun is finished."""
        ended = await self._tally.open(self._desk.store, self._desk.clock.now())
        self._suspects = self._consumer.max_in_hand if ended >= SUSPICIOUS else 0
        if self._suspects:
            _log.warning(
                "the last %d replicas that read %s died over it, or lost their right to it; in case a message is the"
                " reason, they are handled one at a time until it is known",
                ended,
                self._consumer.name,
            )
        aside = [asyncio.create_task(work) for work in self._aside()]
        try:
            await self._work()
        except GeneratorExit:  # the event loop is gone, so nothing can be awaited
            raise
        except BaseException:
            for task in self._tasks:
                task.cancel()
            await self._finish(aside)
            raise
        try:
            await self._finish(aside)
        except asyncio.CancelledError:  # cut off in order, which is no message's fault
            await self._leave()
            raise
        await self._leave()

    async def _leave(self) -> None:
        """Say that this holder ends in order; one that lost its right may have frozen over a message, and does not."""
        if not self._lease.lost.is_set():
            with contextlib.suppress(EngineError):
                await self._tally.close(self._desk.store)

    async def _finish(self, aside: Sequence[asyncio.Task[None]]) -> None:
        """Wait for what is begun, and end the rest."""
        aside[0].cancel()  # nothing more is taken meanwhile
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:  # also when that took too long: nobody is to keep the messages in hand from others
            for task in aside:
                task.cancel()
            await asyncio.gather(*aside, return_exceptions=True)

    def _aside(self) -> Sequence[Coroutine[Any, Any, None]]:
        reasons = (self._leaving, self._lease.lost, self._lease.wanted)
        return (self._feed.run(), self._beat(), self._calm(), *(self._watch(event) for event in reasons))

    async def _watch(self, event: asyncio.Event) -> None:
        await event.wait()
        self._stir.set()

    async def _calm(self) -> None:
        """Say after some time that nothing here ends processes."""
        await asyncio.sleep(CALM_SECONDS)
        with contextlib.suppress(EngineError):
            await self._tally.calm(self._desk.store, self._desk.clock.now())

    async def _beat(self) -> None:
        """Say of everything in hand that it is worked on, long before the broker would deliver it again."""
        third = self._consumer.ack_wait / 3
        while True:
            await asyncio.sleep(third / 2)
            now = self._clock()
            for item in self._hand:
                if now - item.said >= third:
                    item.said = now
                    with contextlib.suppress(EngineError):
                        await item.delivery.progress()

    @property
    def _over(self) -> bool:
        return self._leaving.is_set() or self._lease.lost.is_set() or self._lease.wanted.is_set()

    async def _work(self) -> None:
        when_moved(self._desk.clock, self._stir.set)
        while not self._over:
            self._stir.clear()
            now = self._clock()
            if now >= self._not_before:
                self._begin(now)
                self._feed.freed()
            soonest = self._hand.soonest(now) if now >= self._not_before else self._not_before
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(soonest - now if soonest < inf else None):
                    await self._stir.wait()

    def _begin(self, now: float) -> None:
        """Set to work what is ready."""
        if self._suspects:
            self._begin_alone(now)
            return
        shared, single = self._hand.ready(now, 0 if self._sharing else BATCH)
        if shared:
            self._sharing = True
            self._spawn(shared, self._together(shared))
        for item in single:
            self._spawn([item], self._single(item))

    def _begin_alone(self, now: float) -> None:
        shared, single = self._hand.ready(now, 1)
        first = [*shared, *single][:1]
        if first and not self._tasks:
            self._suspects -= 1
            self._spawn(first, self._alone(first[0]))
        elif self._feed.empty and not len(self._hand):
            self._suspects = 0

    def _spawn(self, items: Sequence[Item], work: Coroutine[Any, Any, None]) -> None:
        for item in items:
            item.busy = True

        def ended(task: asyncio.Task[None]) -> None:
            del self._tasks[task]
            for item in items:
                item.busy = False
            if not task.cancelled() and task.exception() is not None:
                _log.error("handling of %s broke off", self._consumer.name, exc_info=task.exception())
                self._not_before = self._clock() + 1
            self._stir.set()

        task = asyncio.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(ended)

    async def _together(self, items: Sequence[Item]) -> None:
        try:
            await self._settle(await self._worker.handle(items))
        except EngineError as error:
            _log.warning("the store is away, trying again soon: %s", error)
            self._not_before = self._clock() + 0.25 + random.random() / 4  # noqa: S311 - jitter
        finally:
            self._sharing = False

    async def _single(self, item: Item) -> None:
        async with self._desk.slots:
            if not self._over:
                await self._one(item)

    async def _one(self, item: Item) -> None:
        if item.fault:
            await self._bury(item)
        elif item.subscriber is None:
            self._keep(item)
        else:
            try:
                await self._settle(await self._worker.handle([item]))
            except EngineError as error:
                self._later(item, error)

    async def _alone(self, item: Item) -> None:
        """Handle a message that may end the process: its attempt is written down before, and nothing else runs."""
        async with self._desk.alone:
            if self._over:
                return
            if item.fault or item.subscriber is None:
                await self._one(item)
                return
            replica, now = self._desk.replica, self._desk.clock.now()
            before = item.attempts.undone() if item.noted else item.attempts  # noted, and then the store was away
            item.attempts = before.failed(Try(at=now, replica=replica, error=ENDED))
            item.noted = True
            try:
                await self._burial.write(item)
                await self._one(item)
            except asyncio.CancelledError:
                if self._leaving.is_set():  # cut off in order: that is not the message's fault
                    await self._burial.undo(item)
                raise

    async def _settle(self, results: Results) -> None:
        """Answer what is done, and decide about what failed."""
        for item, seconds in results.done:
            await self._done(item, "ok", seconds)
        for item in results.repeated:
            await self._done(item, "duplicate", 0.0)
        for item, error in results.failed:
            try:
                outcome = await self._burial.failed(item, error, self._clock())
            except EngineError as trouble:
                self._later(item, trouble)
            else:
                if outcome == "duplicate":
                    await self._done(item, outcome, 0.0)
                elif outcome == "retried":
                    account(self._desk, item, outcome, 0.0)

    async def _done(self, item: Item, outcome: str, seconds: float) -> None:
        account(self._desk, item, outcome, seconds)
        self._hand.remove(item)
        item.noted = False
        if item.attempts is not NONE:
            self._tally.note(item.id, NONE)
            if outcome == "duplicate":
                await self._burial.erase(item)
        await item.ack()

    async def _bury(self, item: Item) -> None:
        try:
            await self._burial.bury(item)
        except ShoalError as error:
            self._later(item, error)
        else:
            account(self._desk, item, "dead", 0.0)
            self._hand.remove(item)

    def _keep(self, item: Item) -> None:
        """Wait for newer code that knows the event, as there is while a service is updated."""
        now = self._clock()
        kind = item.envelope.type if item.envelope is not None else ""
        item.subscriber = self._desk.subscribers.get(kind)
        if item.subscriber is None and now - item.taken >= STRANGE_SECONDS:
            item.fault = f"nothing handles {kind}"
        elif item.subscriber is None:
            item.outages += 1
            item.due = now + delay(0.5, item.outages)

    def _later(self, item: Item, error: ShoalError) -> None:
        item.outages += 1
        item.due = self._clock() + delay(0.5, item.outages)
        _log.warning("%s waits in hand: %s", item.id, error)
