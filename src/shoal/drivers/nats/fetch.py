"""Take messages from durable consumers.

What a stream delivers keeps the subject it was published to, and reaches its task by the subscription alone. So every
fetch under way has a subscription of its own, which the next fetch from the same consumer uses again.
"""

import asyncio
from collections.abc import Sequence

from shoal.drivers.base import Consumer, Delivery
from shoal.drivers.nats import wire
from shoal.drivers.nats.client import Connection, Incoming
from shoal.drivers.nats.delivery import NatsDelivery
from shoal.drivers.nats.mux import Asking, Mux, Silence
from shoal.errors import Unavailable

LATE_SECONDS = 3.0
"""How much later than asked for the broker may say that there is nothing."""


class Fetcher:
    """The fetches of one connection."""

    def __init__(self, connection: Connection, mux: Mux) -> None:
        self._connection = connection
        self._mux = mux
        self._idle: dict[str, list[_Slot]] = {}
        self._slots = 0

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to `limit` messages, waiting for the first."""
        subject = wire.next_subject(consumer)
        idle = self._idle.setdefault(subject, [])
        slot = idle.pop() if idle else await self._slot()
        pull = _Pull(subject, limit)
        slot.begin(pull)
        self._mux.watch(pull)
        try:
            await self._connection.send(subject, wire.pull(limit, wait), token=slot.token)
            while not pull.ended:
                await pull.pause(wait + LATE_SECONDS, f"no answer from {subject} within {wait + LATE_SECONDS:g} s")
        except asyncio.CancelledError:
            for message in pull.taken:
                slot.give_back(message)
            raise
        except Unavailable as error:
            if isinstance(error, Silence):
                await self._connection.doubt()
            if not pull.taken:
                raise
        finally:
            self._mux.forget(pull)
            slot.end()
            idle.append(slot)
        return [NatsDelivery(self._connection, message) for message in pull.taken]

    async def _slot(self) -> "_Slot":
        self._slots += 1
        slot = _Slot(self._connection, f"p{self._slots}")
        await self._connection.listen(slot.part, slot.receive)
        return slot


class _Pull(Asking):
    """One request for messages of a consumer."""

    def __init__(self, subject: str, limit: int) -> None:
        super().__init__(subject)
        self.taken: list[Incoming] = []
        self.ended = False
        self._limit = limit

    def take(self, message: Incoming) -> None:
        """Add a message."""
        self.taken.append(message)
        if len(self.taken) >= self._limit:
            self.end()

    def end(self) -> None:
        """Learn that no more come."""
        self.ended = True
        self.wake()

    def refuse(self, status: str, description: str) -> None:
        """Learn that the request is over, for a reason (ADR-37 of JetStream lists them)."""
        what = "there is no such consumer" if status == wire.NO_RESPONDERS else f"{status} {description}"
        hint = "declare the streams and consumers first; after a restart of NATS, try again"
        self.fail(Unavailable(f"NATS refused {self.subject}: {what}", hint=hint))


class _Slot:
    """A subscription, and the fetch that uses it now."""

    def __init__(self, connection: Connection, part: str) -> None:
        self.part = part
        self._connection = connection
        self._pull: _Pull | None = None
        self._count = 0
        self._returns: set[asyncio.Task[None]] = set()

    @property
    def token(self) -> str:
        """Where the broker reports on the present request; reports on earlier ones differ from it."""
        return f"{self.part}.{self._count}"

    def begin(self, pull: _Pull) -> None:
        """Lend it to a fetch."""
        self._count += 1
        self._pull = pull

    def end(self) -> None:
        """Take it back."""
        self._pull = None

    def receive(self, message: Incoming) -> None:
        """Hand a message, or the end of the request, to the fetch."""
        if message.reply:
            if self._pull is None or self._pull.ended:
                self.give_back(message)
            else:
                self._pull.take(message)
        elif self._pull is not None and message.subject.endswith(f".{self.token}"):
            headers = message.headers or {}
            status = headers.get(wire.STATUS, "")
            if status in wire.NOTHING_THERE or self._pull.taken:
                self._pull.end()
            else:
                self._pull.refuse(status, headers.get(wire.DESCRIPTION, ""))

    def give_back(self, message: Incoming) -> None:
        """Return a message that nobody waits for any more, so that it need not wait to be repeated."""
        task = asyncio.ensure_future(NatsDelivery(self._connection, message).give_back())
        self._returns.add(task)
        task.add_done_callback(self._returns.discard)
