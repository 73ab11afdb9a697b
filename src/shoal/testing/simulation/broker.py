"""A model of the broker: the reference driver's server, which can crash and come back with an older copy."""

import asyncio
import copy
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from math import inf
from typing import Any

from shoal.drivers.base import Consumer, Message, Outcome, Stream
from shoal.drivers.base.subjects import covers
from shoal.drivers.memory import MemoryBroker
from shoal.drivers.memory.streams import Member
from shoal.errors import Unavailable
from shoal.service.context import Clock
from shoal.testing.simulation.domain import Domain
from shoal.testing.simulation.faults import Chance
from shoal.testing.simulation.link import Link

_covers = lru_cache(4096)(covers)

COPY_EVERY = 0.25
"""Seconds between the copies that a crash may fall back to."""


class ModelBroker(MemoryBroker):
    """The server's side, and the operator's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock, chance: Chance) -> None:
        super().__init__(loop.time, clock.now)
        self.chance = chance
        self.up = True
        self._loop = loop
        self._links: list[Link] = []
        self._waiters: dict[tuple[str, str], list[asyncio.Future[None]]] = {}
        self._copies: list[tuple[float, Any]] = []

    def connect(self, domain: Domain) -> Link:
        """Give a process its connection."""
        link = Link(self, domain)
        self._links.append(link)
        return link

    async def keep_copies(self, until: float) -> None:
        """Remember states, for a crash no later than `until` that falls back to one of them."""
        while self._loop.time() <= until:
            self._copies.append((self._loop.time(), copy.deepcopy((self._logs, self._members))))
            await asyncio.sleep(COPY_EVERY)

    def crash(self, back: float = 0.0) -> None:
        """Break every connection and forget what was stored within the last `back` seconds."""
        self.up = False
        until = self._loop.time() - back
        if back:
            usable = [state for at, state in self._copies if at <= until]
            self._logs, self._members = copy.deepcopy(usable[-1] if usable else ({}, {}))
            self._copies = [kept for kept in self._copies if kept[0] <= until]
        else:  # a member of a consumer that does not know this copy settles nothing in it
            self._members = copy.deepcopy(self._members)
        for link in self._links:
            link.break_off()
        self.wake()

    def start(self) -> None:
        """Answer again."""
        self.up = True

    def drop(self, domain: Domain) -> None:
        """Forget the connection of a process that is gone."""
        for link in [link for link in self._links if link.domain is domain]:
            link.break_off()
            self._links.remove(link)

    def forsake(self, domain: Domain) -> None:
        """Break the connections of a process that is silent."""
        for link in [link for link in self._links if link.domain is domain]:
            link.break_off()

    def cut(self, domain: Domain, *, off: bool) -> None:
        """Cut a process off, or let it back."""
        for link in [link for link in self._links if link.domain is domain]:
            link.reachable = not off
            if off:
                link.break_off()

    def lose(self, stream: str) -> None:
        """Delete a stream with its consumers, as a broken one is deleted; no copy from before comes back."""
        self._copies.clear()
        self._logs.pop(stream, None)
        for key in [key for key in self._members if key[0] == stream]:
            del self._members[key]
        self.wake()

    def forget_ids(self) -> None:
        """Forget which ids were stored."""
        for log in self._logs.values():
            log._seen.clear()  # noqa: SLF001 - the window of de-duplication is over, long before its time

    def redeliver(self, stream: str, name: str) -> None:
        """Deliver all that is unanswered again, too early."""
        member = self._members.get((stream, name))
        if member is not None:
            for sequence in member.due:
                member.due[sequence] = self._loop.time()
            self.wake()

    def soonest(self, consumer: Consumer) -> float:
        """Return the seconds until something of a consumer is due again."""
        member = self._members.get((consumer.stream, consumer.name))
        due = min(member.due.values(), default=inf) if member is not None else inf
        return max(0.001, due - self._loop.time())

    async def news(self, consumer: Consumer, seconds: float) -> None:
        """Wait until something changed for a consumer, or so long."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        waiters = self._waiters.setdefault((consumer.stream, consumer.name), [])
        waiters.append(waiter)
        timer = self._loop.call_later(seconds, _wake, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            waiters.remove(waiter)

    def wake(self) -> None:
        """Let everybody who waits look again."""
        for waiters in self._waiters.values():
            for waiter in waiters:
                _wake(waiter)

    def _wake_one(self, consumer: Consumer) -> None:
        for waiter in self._waiters.get((consumer.stream, consumer.name), ()):
            _wake(waiter)

    def store(self, message: Message, after: int | None = None) -> Outcome:
        """Store one message, behind a place of its stream."""
        outcome = self._store(message, after)
        for member in self._members.values():
            if _covers(member.consumer.subjects, message.subject):
                self._wake_one(member.consumer)
        return outcome

    def postpone(self, member: Member, sequence: int, seconds: float) -> None:
        """Deliver an unanswered message again after so long."""
        if member.postpone(sequence, self._clock() + seconds):
            self._wake_one(member.consumer)

    def settled(self, member: Member, sequence: int) -> None:
        """Never deliver a message again."""
        member.settle(sequence)
        self._wake_one(member.consumer)

    def lacks(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> bool:
        """Tell whether something is missing that was declared."""
        return any(s.name not in self._logs for s in streams) or any(
            (c.stream, c.name) not in self._members for c in consumers
        )

    def require(self) -> None:
        """Raise `Unavailable` when the server is away."""
        if not self.up:
            raise Unavailable("the broker does not answer", hint="try again")

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Create or adapt streams and consumers."""
        self.require()
        await super().declare(streams, consumers)

    def now(self) -> datetime:
        """Return the server's time."""
        return self._now()


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
