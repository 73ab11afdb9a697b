"""What one member has in hand of a consumer, by offsets. Pure but for the event that wakes who waits.

It is for brokers whose streams are logs. A consumer has one reader at a time, which our lease sees to. So redelivery,
the bound of what is in hand and the number of a delivery are kept here, and the broker keeps one offset: the first that
is not answered.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shoal.drivers.base.broker import Consumer, Kept
from shoal.drivers.base.messages import Message
from shoal.drivers.base.subjects import covers
from shoal.errors import Unavailable, Undeclared

MOST_AHEAD = 512
"""Messages that are read before somebody asks for them."""

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of such messages, and of the messages of one fetch."""


class Letter(NamedTuple):
    """A record that was read."""

    offset: int
    at: datetime
    message: Message | None
    """None for the end of another, which is named by `id`."""
    id: str
    place: int | None = None
    """Its place in the stream, where that is not its offset, counted from 1."""

    @property
    def kept(self) -> Kept | None:
        """The message and its place."""
        return None if self.message is None else Kept(sequence=self.offset + 1, at=self.at, message=self.message)


@dataclass(slots=True)
class Holding:
    """The state of a consumer since its reader began."""

    consumer: Consumer
    made: str
    """Identity of the stream that the offsets belong to."""
    next: int
    """Offset of the first record that was not read."""
    committed: int
    epoch: int
    """Of the connection over which the reader began."""
    ready: deque[Letter] = field(default_factory=deque)
    due: dict[int, float] = field(default_factory=dict)
    """When each unanswered message is delivered again."""
    kept: dict[int, Letter] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    """Offsets that were answered before they were read again."""
    fault: Unavailable | Undeclared | None = None
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _bytes: int = 0
    _count: int = 0

    @property
    def wants(self) -> bool:
        """Whether more should be read."""
        return self.fault is None and len(self.ready) < MOST_AHEAD and self._bytes < MOST_BYTES

    @property
    def floor(self) -> int:
        """The first offset that is not answered."""
        first = self.ready[0].offset if self.ready else self.next
        return min(self.due, default=first) if self.due else first

    def read(self, letters: Iterable[Letter], behind: int = 0) -> None:
        """Take over what was read, beginning at or before `next` and ending before `behind`."""
        for letter in letters:
            if letter.offset < self.next:
                continue
            self.next = letter.offset + 1
            if letter.offset in self.settled:
                self.settled.discard(letter.offset)
            elif letter.message is not None and covers(self.consumer.subjects, letter.message.subject):
                self.ready.append(letter)
                self._bytes += len(letter.message.body)
        self.next = max(self.next, behind)
        self.stirred.set()

    def fail(self, fault: Unavailable | Undeclared) -> None:
        """Let who waits know that nothing more comes."""
        self.fault = fault
        self.stirred.set()

    def take(self, limit: int, now: float) -> list[tuple[int, Letter]]:
        """Take what comes again, then what is new; each with its number."""
        offsets = sorted(offset for offset, due in self.due.items() if due <= now)[:limit]
        letters = [self.kept[offset] for offset in offsets]
        size = sum(_size(letter) for letter in letters)
        room = self.consumer.max_in_hand - len(self.due)
        while self.ready and room > 0 and len(letters) < limit and (not letters or size < MOST_BYTES):
            letter = self.ready.popleft()
            self._bytes -= _size(letter)
            size += _size(letter)
            self.kept[letter.offset] = letter
            letters.append(letter)
            room -= 1
        found = []
        for letter in letters:
            self._count += 1
            self.due[letter.offset] = now + self.consumer.ack_wait
            found.append((self._count, letter))
        return found

    def soonest(self) -> float | None:
        """When the next message is delivered again."""
        return min(self.due.values(), default=None)

    def postpone(self, offset: int, due: float) -> None:
        """Deliver an unanswered message again at a time."""
        if offset in self.due:
            self.due[offset] = due
            self.stirred.set()

    def settle(self, offset: int) -> None:
        """Never deliver a message again."""
        if offset >= self.next:
            self.settled.add(offset)
        for letter in [letter for letter in self.ready if letter.offset == offset]:
            self.ready.remove(letter)
            self._bytes -= _size(letter)
        self.due.pop(offset, None)
        self.kept.pop(offset, None)
        self.stirred.set()


def _size(letter: Letter) -> int:
    return 0 if letter.message is None else len(letter.message.body)
