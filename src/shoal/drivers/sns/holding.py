"""What one process has in hand of a consumer.

The queue itself sees to the order: while messages of a group are in somebody's hand, it gives out no others of that
group. What is not answered within the time of the queue comes again. Here it is only remembered by which receipt each
message can be answered, and counted.
"""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shoal.drivers.base import Consumer
from shoal.drivers.sns import wire
from shoal.drivers.sns.answers import Answers
from shoal.drivers.sns.link import WAIT_SECONDS, Link
from shoal.drivers.sns.wire import Letter

LEAST_SECONDS = 1
"""The shortest time for which a queue can be told to hide a message."""

_READ: Mapping[str, Any] = {
    "MessageSystemAttributeNames": ["SentTimestamp"],
    "MessageAttributeNames": [wire.SUBJECT, wire.HEAD],
}
"""What is asked for with each message."""


def hidden(consumer: Consumer) -> int:
    """Return the time of a consumer's queue: a whole number of seconds."""
    return max(LEAST_SECONDS, math.ceil(consumer.ack_wait))


async def receive(link: Link, url: str, seconds: int, **words: object) -> Sequence[Mapping[str, Any]]:
    """Ask a queue for messages, and let it wait for the first."""
    words = {"QueueUrl": url, "MaxNumberOfMessages": wire.BATCH, "WaitTimeSeconds": seconds, **_READ, **words}
    found = await link.ask("hear" if seconds else "sqs", "receive_message", **words)
    return list(found.get("Messages", ()))


@dataclass(slots=True)
class _Held:
    letter: Letter
    until: float
    """When it comes again."""


@dataclass(slots=True)
class Holding:
    """A consumer's queue, and what of it is in hand here."""

    link: Link
    consumer: Consumer
    url: str
    since: int
    """Of its stream, when the queue was made."""
    answers: Answers
    ready: deque[_Held] = field(default_factory=deque)
    """Received, and not yet delivered."""
    held: dict[str, _Held] = field(default_factory=dict)
    """Delivered and not answered."""
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _count: int = 0
    _asking: asyncio.Task[None] | None = None

    async def take(self, limit: int, wait: float) -> list[tuple[int, Letter]]:
        """Take up to so many, waiting so long for the first; each with its number. What is awaited is not lost."""
        until = _now() + wait
        while True:
            taken = self._taken(limit)
            left = until - _now()
            if taken or left <= 0:
                return taken
            if not self._room:
                await self._answered(left)
                continue
            mine = self._asking is None
            if self._asking is None:
                self._asking = asyncio.ensure_future(self._ask(min(limit, self._room), left))
                self._asking.add_done_callback(_heard)
            asking = self._asking
            await asyncio.wait({asking}, timeout=None if mine else left)  # what was asked has an end
            if asking.done() and not asking.cancelled() and (error := asking.exception()) is not None:
                raise error

    def begin(self) -> list[str]:
        """Count from 1 again, with nothing in hand; return the receipts of what was."""
        receipts = [held.letter.receipt for held in (*self.held.values(), *self.ready)]
        self.held.clear()
        self.ready.clear()
        self._count = 0
        return receipts

    def settle(self, name: str, receipt: str) -> None:
        """Never hear of a message again, by whichever receipt it was given out last."""
        held = self.held.pop(name, None)
        waiting = next((one for one in self.ready if one.letter.name == name), None)
        if waiting is not None:
            self.ready.remove(waiting)
        self._stirred.set()
        latest = waiting or held
        self.answers.done(latest.letter.receipt if latest is not None else receipt)

    def postpone(self, name: str) -> None:
        """Keep a message in hand for as long as at first."""
        held = self.held.get(name)
        if held is not None:
            held.until = _now() + hidden(self.consumer)
            self.answers.hide(held.letter.receipt, hidden(self.consumer))

    async def stop(self) -> None:
        """Ask for nothing more."""
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    @property
    def _room(self) -> int:
        now = _now()
        return self.consumer.max_in_hand - sum(held.until > now for held in self.held.values())

    async def _answered(self, left: float) -> None:
        """Wait until there may be room: something is answered, or comes again."""
        self._stirred.clear()
        now = _now()  # what came to its end before may be in another's hand for long
        soonest = min((held.until for held in self.held.values() if held.until > now), default=now) - now
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(left, soonest))):
                await self._stirred.wait()

    def _taken(self, limit: int) -> list[tuple[int, Letter]]:
        found: list[tuple[int, Letter]] = []
        now, room = _now(), self._room
        while self.ready and len(found) < min(limit, room):
            held = self.ready.popleft()
            if held.until <= now:  # it may be in another's hand, and comes again if it is not
                continue
            self.held[held.letter.name] = held
            self._count += 1
            found.append((self._count, held.letter))
        return found

    async def _ask(self, limit: int, wait: float) -> None:
        try:
            until = _now() + wait
            while not self.ready:
                left = until - _now()
                count = await self._receive(_whole(left))
                if not count and _whole(left) == 0:
                    if left <= 0:
                        return
                    await asyncio.sleep(left)
            while count == wire.BATCH and len(self.ready) < limit:
                count = await self._receive(0)
        finally:
            self._asking = None

    async def _receive(self, seconds: int) -> int:
        """Ask once; say how many messages came, wanted or not."""
        found = await receive(self.link, self.url, seconds)
        until = _now() + hidden(self.consumer)
        self._let_go(until - 2 * hidden(self.consumer))
        for received in found:
            letter = wire.letter(received)
            if letter is None or letter.head.made < self.since:  # it comes again, behind those from before
                self.answers.done(received["ReceiptHandle"])
                continue
            self.held.pop(letter.name, None)
            self.ready.append(_Held(letter, until))
        return len(found)

    def _let_go(self, before: float) -> None:
        """Forget what was never answered, and came to somebody else long ago."""
        for name in [name for name, held in self.held.items() if held.until <= before]:
            del self.held[name]


def _heard(asking: asyncio.Task[None]) -> None:
    """Take note of a failure, also where nobody waits any more."""
    if not asking.cancelled():
        asking.exception()


def _whole(seconds: float) -> int:
    """Say for how many seconds a queue is to wait."""
    return min(WAIT_SECONDS, math.ceil(seconds - 0.5)) if seconds >= 0.5 else 0


def _now() -> float:
    return asyncio.get_running_loop().time()
