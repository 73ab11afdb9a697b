"""What a broker in memory holds: logs, and how far each consumer has come in them."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from shoal.drivers.base import Consumer, Kept, Message, Position, Stream
from shoal.drivers.base.subjects import covers

DUPLICATE_SECONDS = 120.0
"""For so long a stream remembers the ids it stored."""


_makings = count(1)


@dataclass(slots=True)
class Log:
    """A stream and what it holds."""

    stream: Stream
    last: int = 0
    made: str = field(default_factory=lambda: f"making {next(_makings)}")
    _kept: dict[int, Kept] = field(default_factory=dict)
    _seen: dict[str, tuple[float, int]] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        """How far it has come."""
        return Position(last=self.last, count=len(self._kept), made=self.made)

    def covers(self, subject: str) -> bool:
        """Tell whether it takes a subject."""
        return covers(self.stream.subjects, subject)

    def store(self, message: Message, clock: float, now: datetime) -> tuple[bool, int]:
        """Add a message unless its id is known; return whether it was, and the message's place."""
        while self._seen and clock - next(iter(self._seen.values()))[0] > DUPLICATE_SECONDS:
            del self._seen[next(iter(self._seen))]
        if message.id in self._seen:
            return True, self._seen[message.id][1]
        self.last += 1
        self._seen[message.id] = (clock, self.last)
        self._kept[self.last] = Kept(sequence=self.last, at=now, message=message)
        return False, self.last

    def at(self, sequence: int) -> Kept:
        """Return what lies at a place that `holds` it."""
        return self._kept[sequence]

    def holds(self, sequence: int) -> bool:
        """Tell whether a place still has its message."""
        return sequence in self._kept

    def read(self, above: int, limit: int) -> list[Kept]:
        """Return up to `limit` messages above a place, in order."""
        found: list[Kept] = []
        for sequence in range(above + 1, self.last + 1):
            if len(found) >= limit:
                break
            if sequence in self._kept:
                found.append(self._kept[sequence])
        return found

    def remove(self, sequence: int) -> None:
        """Let go of a message."""
        self._kept.pop(sequence, None)


@dataclass(slots=True)
class Member:
    """The shared state of a consumer's members, by places in the stream."""

    consumer: Consumer
    next: int = 1
    """The first place that was never looked at."""
    due: dict[int, float] = field(default_factory=dict)
    """When each unanswered or returned message is delivered again."""
    deliveries: dict[int, int] = field(default_factory=dict)
    """Number of the latest delivery of each unanswered message."""
    _count: int = 0

    def take(self, log: Log, now: float, limit: int) -> list[int]:
        """Take what comes again, then what is new."""
        for sequence in [sequence for sequence in self.due if not log.holds(sequence)]:
            self.settle(sequence)
        taken = sorted(sequence for sequence, due in self.due.items() if due <= now)[:limit]
        room = self.consumer.max_in_hand - len(self.due)
        while room > 0 and len(taken) < limit and self.next <= log.last:
            if self._hears(log, self.next):
                taken.append(self.next)
                room -= 1
            self.next += 1
        for sequence in taken:
            self._count += 1
            self.due[sequence] = now + self.consumer.ack_wait
            self.deliveries[sequence] = self._count
        return taken

    def rewind(self, now: float) -> None:
        """Count every delivery as not made, from the first unanswered one on; what was answered stays so."""
        self._count = 0
        self.due = dict.fromkeys(sorted(self.due), now)

    def postpone(self, sequence: int, due: float) -> bool:
        """Deliver an unanswered message again at a time; return whether it is unanswered."""
        if sequence in self.due:
            self.due[sequence] = due
            return True
        return False

    def settle(self, sequence: int) -> None:
        """Never deliver a message again."""
        for known in (self.due, self.deliveries):
            known.pop(sequence, None)

    def lag(self, log: Log) -> int:
        """Count what is not yet answered."""
        unseen = sum(self._hears(log, sequence) for sequence in range(self.next, log.last + 1))
        return unseen + sum(log.holds(sequence) for sequence in self.due)

    def _hears(self, log: Log, sequence: int) -> bool:
        return log.holds(sequence) and covers(self.consumer.subjects, log.at(sequence).message.subject)
