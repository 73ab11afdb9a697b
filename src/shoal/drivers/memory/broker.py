"""A broker in memory: streams, durable consumers, redelivery, and de-duplication by id."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shoal.drivers.base import Consumer, Delivery, Message, Stream
from shoal.drivers.memory.subjects import covers
from shoal.errors import Unavailable

DUPLICATE_SECONDS = 120.0
"""For so long a stream remembers the ids it stored."""

Clock = Callable[[], float]


@dataclass(slots=True)
class _Log:
    """A stream and what it holds."""

    stream: Stream
    messages: list[Message] = field(default_factory=list)
    seen: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Member:
    """The shared state of a consumer's members. Numbers are positions in the stream."""

    consumer: Consumer
    next: int = 0
    attempts: dict[int, int] = field(default_factory=dict)
    due: dict[int, float] = field(default_factory=dict)
    """When each unanswered or returned message is delivered again."""


class MemoryBroker:
    """A `base.Broker` and its `base.BrokerAdmin`; one object serves all services.

    Args:
        clock: Measures waits for redelivery. After moving it by hand, call `wake`.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._logs: dict[str, _Log] = {}
        self._members: dict[tuple[str, str], _Member] = {}
        self._waiting: set[asyncio.Future[None]] = set()

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Create or adapt streams and consumers."""
        for stream in streams:
            self._logs.setdefault(stream.name, _Log(stream)).stream = stream
        for consumer in consumers:
            if consumer.stream not in self._logs:
                raise Unavailable(f"there is no stream {consumer.stream}", hint="declare it first")
            key = (consumer.stream, consumer.name)
            self._members.setdefault(key, _Member(consumer)).consumer = consumer
        self.wake()

    async def open(self) -> None:
        """Do nothing: it is always open."""

    async def close(self) -> None:
        """Do nothing: others may share it."""

    async def ping(self) -> None:
        """Do nothing: it is always there."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Store messages in order."""
        for message in messages:
            self._store(message)
        self.wake()

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Take what is due, or wait for it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            member = self._member(consumer)
            taken = self._take(member, limit)
            left = until - loop.time()
            if taken or left <= 0 or limit <= 0:
                return taken
            soonest = min(member.due.values(), default=None)
            await self._pause(left if soonest is None else min(left, max(0.0, soonest - self._clock())))

    def wake(self) -> None:
        """Let everybody who waits look again."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def idle(self) -> bool:
        """Tell whether every consumer has answered everything that its stream holds."""
        return all(
            not member.due and member.next >= len(self._logs[stream].messages)
            for (stream, _), member in self._members.items()
        )

    def log(self, stream: str) -> Sequence[Message]:
        """Return everything a stream holds, for tests and tools."""
        return tuple(self._logs[stream].messages)

    def _store(self, message: Message) -> None:
        logs = self._logs.values()
        log = next((log for log in logs if covers(log.stream.subjects, message.subject)), None)
        if log is None:
            raise Unavailable(f"no stream holds the subject {message.subject}", hint="declare a stream for it")
        now = self._clock()
        while log.seen and now - next(iter(log.seen.values())) > DUPLICATE_SECONDS:
            del log.seen[next(iter(log.seen))]
        if message.id not in log.seen:
            log.seen[message.id] = now
            log.messages.append(message)

    def _member(self, consumer: Consumer) -> _Member:
        member = self._members.get((consumer.stream, consumer.name))
        if member is None:
            raise Unavailable(
                f"there is no consumer {consumer.name} of stream {consumer.stream}", hint="declare it first"
            )
        return member

    def _take(self, member: _Member, limit: int) -> list[Delivery]:
        """Take what comes again, then what is new."""
        now = self._clock()
        numbers = sorted(number for number, due in member.due.items() if due <= now)[:limit]
        messages = self._logs[member.consumer.stream].messages
        while len(numbers) < limit and member.next < len(messages):
            if covers(member.consumer.subjects, messages[member.next].subject):
                numbers.append(member.next)
            member.next += 1
        for number in numbers:
            member.due[number] = now + member.consumer.ack_wait
            member.attempts[number] = member.attempts.get(number, 0) + 1
        return [MemoryDelivery(self, member, number, messages[number]) for number in numbers]

    async def _pause(self, seconds: float) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await asyncio.wait({waiter}, timeout=seconds)
        finally:
            self._waiting.discard(waiter)

    def postpone(self, member: _Member, number: int, seconds: float) -> None:
        """Deliver an unanswered message again after so long."""
        if number in member.due:
            member.due[number] = self._clock() + seconds
            self.wake()

    def settle(self, member: _Member, number: int) -> None:
        """Never deliver a message again."""
        member.due.pop(number, None)
        member.attempts.pop(number, None)


class MemoryDelivery:
    """A `base.Delivery`."""

    def __init__(self, broker: MemoryBroker, member: _Member, number: int, message: Message) -> None:
        self._broker = broker
        self._member = member
        self._number = number
        self._message = message
        self._attempt = member.attempts[number]
        self._answered = False

    @property
    def message(self) -> Message:
        """The message."""
        return self._message

    @property
    def attempt(self) -> int:
        """Which delivery this is."""
        return self._attempt

    async def ack(self) -> None:
        """Settle it."""
        if self._answer():
            self._broker.settle(self._member, self._number)

    async def retry(self, delay: float) -> None:
        """Give it back."""
        if self._answer():
            self._broker.postpone(self._member, self._number, delay)

    async def progress(self) -> None:
        """Ask for more time."""
        if not self._answered:
            self._broker.postpone(self._member, self._number, self._member.consumer.ack_wait)

    async def drop(self) -> None:
        """Settle it."""
        if self._answer():
            self._broker.settle(self._member, self._number)

    def _answer(self) -> bool:
        """Take the one answer; later ones change nothing."""
        first, self._answered = not self._answered, True
        return first
