"""A broker: durable streams of messages, and consumers that share them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from shoal.drivers.base.messages import Message
from shoal.errors import EngineError, Undeclared


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """A durable subscription; its members compete for its messages."""

    stream: str
    name: str
    subjects: tuple[str, ...]
    ack_wait: float = 30.0
    """Seconds after which an unanswered delivery is repeated."""
    max_in_hand: int = 1000
    """Deliveries that may be unanswered at a time; no more are made until some are answered."""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A durable log of messages."""

    name: str
    subjects: tuple[str, ...]
    age: float = 7 * 86_400.0
    """Seconds after which it lets go of a message, whoever has read it; 0 to keep it until it is removed."""
    largest: int = 0
    """Bytes of the largest message, headers included; 0 for whatever the broker takes."""


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The broker holds a message."""

    sequence: int
    """Its place in the stream, from 1; 0 where the broker counts none."""
    duplicate: bool = False
    """Whether the broker held it already, under the same id; `sequence` may then be unknown, which is 0."""


Outcome = Published | EngineError | Undeclared
"""What became of one message: `Unavailable` when it may not be held, any other error when it is refused as it is."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stream has come."""

    last: int
    """Place of its latest message, also when that is gone; 0 for a new one, and where the broker counts none."""
    count: int = 0
    """Messages that it holds, as far as the broker counts them."""
    made: str = ""
    """When it was made, in the broker's own words: one that is deleted and made again is another stream.

    Where a broker keeps no log, one that somebody begins to hear is another stream, too.
    """


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A message as a stream holds it."""

    sequence: int
    at: datetime
    message: Message


class Delivery(Protocol):
    """One message in the hands of one member of a consumer; answered exactly once."""

    @property
    def message(self) -> Message:
        """The message."""
        ...

    @property
    def sequence(self) -> int:
        """Its place in the stream; where the broker counts none, a number that no other message has."""
        ...

    @property
    def at(self) -> datetime:
        """When the stream stored it."""
        ...

    @property
    def number(self) -> int:
        """Which delivery of the consumer this is, over all members, from 1 since it was last rewound.

        A gap means that deliveries went to somebody else, or were lost.
        """
        ...

    async def ack(self) -> None:
        """Done: never deliver it to this consumer again. Fire and forget: it may still come again."""
        ...

    async def progress(self) -> None:
        """Still working: begin `Consumer.ack_wait` anew."""
        ...

    async def drop(self) -> None:
        """Never deliver it again although it was not handled."""
        ...


class Broker(Protocol):
    """One service's connection to the broker, with that service's rights. Used by many tasks at a time."""

    async def open(self) -> None:
        """Connect, and reconnect for ever when the connection is lost; `Unavailable` if there is none within 5 s."""
        ...

    async def close(self) -> None:
        """Let go of the connection within 5 s."""
        ...

    async def ping(self) -> None:
        """Answer within 1 s or raise `Unavailable`."""
        ...

    @property
    def epoch(self) -> int:
        """Grow whenever the connection is lost or made.

        After a change the broker may be another one than before, or an older copy of itself. Read it before asking how
        things are, so that a change meanwhile is seen afterwards.
        """
        ...

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        """Store messages in order, many in flight, and say what became of each; publishing an id again is safe.

        Once the connection is lost, nothing more of the call is sent, and the outcome of all that is not acknowledged
        is `Unavailable`; it is never raised.

        Args:
            messages: What is to be stored.
            after: The place of the stream, which is one for all, behind which the first is to stand, with the others
                close behind it. The outcome of one that cannot stand there is `Contended`: somebody else publishes
                too, the stream is another one than it was, or one before it was refused, or stored before under its
                id. Without, a message that is refused does not keep later ones from being stored.
        """
        ...

    async def position(self, stream: str) -> Position | None:
        """Say how far one of the service's own streams has come; None when there is no such stream.

        `Unavailable` when the broker is away.
        """
        ...

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to `limit` messages, waiting up to `wait` seconds for the first; empty when none came.

        `Unavailable` when the broker is away or the consumer does not exist; `Undeclared` when the service has no
        right to it.
        """
        ...

    async def rewind(self, consumer: Consumer) -> None:
        """Deliver again, at once and in the order of the stream, everything from the first unanswered message on.

        Among it may be what was answered. For the one member that consumes, when it begins. Where the broker cannot
        take it from who has it in hand, that comes when its time is over, and nothing of the same key before.
        Raises as `fetch` does.
        """
        ...


class BrokerAdmin(Protocol):
    """The operator's hands on a broker. Services never get them. All methods raise `Unavailable` when it is away."""

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Create or adapt streams and consumers; safe to repeat."""
        ...

    async def missing(
        self, streams: Sequence[Stream], consumers: Sequence[Consumer]
    ) -> tuple[Sequence[Stream], Sequence[Consumer]]:
        """Say which streams and consumers are not there, by their names."""
        ...

    async def positions(self) -> Mapping[str, Position]:
        """Say of every stream how far it has come."""
        ...

    async def lags(self, stream: str) -> Mapping[str, int]:
        """Say of every consumer of a stream how many messages it has not answered; 0 where the broker counts none."""
        ...

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        """Read a stream by place, from the first message above `above`; nobody's consumption is touched.

        `EngineError` for what the broker does not keep.
        """
        ...

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Store messages as the operator, on any subject."""
        ...

    async def remove(self, stream: str, sequences: Sequence[int]) -> None:
        """Take messages out of a stream; those that are gone are passed over."""
        ...
