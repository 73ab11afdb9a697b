"""A broker in memory: streams, durable consumers, redelivery, and de-duplication by id."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count, repeat

from shoal.drivers.base import Consumer, Kept, Message, Outcome, Position, Published, Stream
from shoal.drivers.memory.streams import Log, Member
from shoal.errors import Contended, EngineError, Unavailable

Clock = Callable[[], float]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryBroker:
    """A `base.Broker` and its `base.BrokerAdmin`; one object serves all services.

    Args:
        clock: Measures waits for redelivery. After moving it by hand, call `wake`.
        now: Tells when a message was stored.
    """

    def __init__(self, clock: Clock = time.monotonic, now: Callable[[], datetime] = _now) -> None:
        self._clock = clock
        self._now = now
        self._epoch = 1
        self._logs: dict[str, Log] = {}
        self._members: dict[tuple[str, str], Member] = {}
        self._waiting: set[asyncio.Future[None]] = set()

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Create or adapt streams and consumers."""
        for stream in streams:
            if stream.name not in self._logs:
                self._logs[stream.name] = Log(stream)
            self._logs[stream.name].stream = stream
        for consumer in consumers:
            self._log(consumer.stream)
            key = (consumer.stream, consumer.name)
            self._members.setdefault(key, Member(consumer)).consumer = consumer
        self.wake()

    async def open(self) -> None:
        """Do nothing: it is always open."""

    async def close(self) -> None:
        """Do nothing: others may share it."""

    async def ping(self) -> None:
        """Do nothing: it is always there."""

    @property
    def epoch(self) -> int:
        """How often it was another one than before; see `restart`."""
        return self._epoch

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        """Store messages in order."""
        places = repeat(None) if after is None else count(after)
        outcomes = [self._store(message, place) for message, place in zip(messages, places, strict=False)]
        self.wake()
        return outcomes

    async def position(self, stream: str) -> Position | None:
        """Measure a stream."""
        log = self._logs.get(stream)
        return None if log is None else log.position

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence["MemoryDelivery"]:
        """Take what is due, or wait for it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            member = self._member(consumer)
            numbers = member.take(self._log(consumer.stream), self._clock(), limit)
            left = until - loop.time()
            if numbers or left <= 0 or limit <= 0:
                return [self._deliver(member, number) for number in numbers]
            soonest = min(member.due.values(), default=None)
            await self._pause(left if soonest is None else min(left, max(0.0, soonest - self._clock())))

    async def rewind(self, consumer: Consumer) -> None:
        """Begin again with the first unanswered message."""
        self._member(consumer).rewind(self._clock())
        self.wake()

    async def missing(
        self, streams: Sequence[Stream], consumers: Sequence[Consumer]
    ) -> tuple[Sequence[Stream], Sequence[Consumer]]:
        """Compare with what there is."""
        gone = [consumer for consumer in consumers if (consumer.stream, consumer.name) not in self._members]
        return [stream for stream in streams if stream.name not in self._logs], gone

    async def positions(self) -> Mapping[str, Position]:
        """Measure every stream."""
        return {name: log.position for name, log in self._logs.items()}

    async def lags(self, stream: str) -> Mapping[str, int]:
        """Measure every consumer of a stream."""
        log = self._log(stream)
        return {name: member.lag(log) for (of, name), member in self._members.items() if of == stream}

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        """Read a stream by place."""
        return self._log(stream).read(above, limit)

    async def remove(self, stream: str, sequences: Sequence[int]) -> None:
        """Take messages out of a stream."""
        for sequence in sequences:
            self._log(stream).remove(sequence)

    def restart(self) -> None:
        """Let every user see that the broker may be another one than before."""
        self._epoch += 1
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def idle(self) -> bool:
        """Tell whether every consumer has answered everything that its stream holds."""
        return all(not member.lag(self._log(stream)) for (stream, _), member in self._members.items())

    def log(self, stream: str) -> Sequence[Message]:
        """Return everything a stream holds, for tests and tools."""
        log = self._logs[stream]
        return tuple(kept.message for kept in log.read(0, log.last))

    def _store(self, message: Message, after: int | None = None) -> Outcome:
        for name, value in message.headers.items():
            if _CONTROL.search(name + value):
                return EngineError(
                    f"the header {name} of message {message.id} has a control character",
                    hint="keep names and values of headers on one line",
                )
        log = next((log for log in self._logs.values() if log.covers(message.subject)), None)
        if log is None:
            return Unavailable(f"no stream takes the subject {message.subject}", hint="declare a stream for it")
        size = len(message.body) + sum(len(name) + len(value) for name, value in message.headers.items())
        if log.stream.largest and size > log.stream.largest:
            return EngineError(
                f"message {message.id} for {message.subject} has {size} bytes; its stream takes {log.stream.largest}",
                hint="keep large content elsewhere and send its address",
            )
        if after not in {None, log.last}:
            return Contended(f"message {message.id} is to stand behind {after} of {log.stream.name}, not {log.last}")
        known, sequence = log.store(message, self._clock(), self._now())
        return Published(sequence=sequence, duplicate=known)

    def _log(self, stream: str) -> Log:
        log = self._logs.get(stream)
        if log is None:
            raise Unavailable(f"there is no stream {stream}", hint="declare it first")
        return log

    def _member(self, consumer: Consumer) -> Member:
        member = self._members.get((consumer.stream, consumer.name))
        if member is None:
            raise Unavailable(
                f"there is no consumer {consumer.name} of stream {consumer.stream}", hint="declare it first"
            )
        return member

    def _deliver(self, member: Member, sequence: int) -> "MemoryDelivery":
        return MemoryDelivery(self, member, self._log(member.consumer.stream).at(sequence))

    async def _pause(self, seconds: float) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await asyncio.wait({waiter}, timeout=seconds)
        finally:
            self._waiting.discard(waiter)

    def postpone(self, member: Member, sequence: int, seconds: float) -> None:
        """Deliver an unanswered message again after so long."""
        if member.postpone(sequence, self._clock() + seconds):
            self.wake()

    def settled(self, member: Member, sequence: int) -> None:
        """Never deliver a message again."""
        member.settle(sequence)
        self.wake()


class MemoryDelivery:
    """A `base.Delivery`."""

    def __init__(self, broker: MemoryBroker, member: Member, kept: Kept) -> None:
        self._broker = broker
        self._member = member
        self._kept = kept
        self._number = member.deliveries[kept.sequence]
        self._answered = False

    @property
    def message(self) -> Message:
        """The message."""
        return self._kept.message

    @property
    def sequence(self) -> int:
        """Its place in the stream."""
        return self._kept.sequence

    @property
    def at(self) -> datetime:
        """When the stream stored it."""
        return self._kept.at

    @property
    def number(self) -> int:
        """Which delivery of the consumer this is."""
        return self._number

    async def ack(self) -> None:
        """Settle it."""
        if self._answer():
            self._broker.settled(self._member, self.sequence)

    async def give_back(self) -> None:
        """Let it be delivered again at once."""
        if self._answer():
            self._broker.postpone(self._member, self.sequence, 0.0)

    async def progress(self) -> None:
        """Ask for more time."""
        if not self._answered:
            self._broker.postpone(self._member, self.sequence, self._member.consumer.ack_wait)

    async def drop(self) -> None:
        """Settle it."""
        if self._answer():
            self._broker.settled(self._member, self.sequence)

    def _answer(self) -> bool:
        """Take the one answer; later ones change nothing."""
        first, self._answered = not self._answered, True
        return first
