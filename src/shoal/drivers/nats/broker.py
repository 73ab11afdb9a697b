"""One service's use of JetStream: publish many at a time, and fetch what is there."""

from collections.abc import Sequence

from shoal.drivers.base import Consumer, Delivery, Message
from shoal.drivers.nats import wire
from shoal.drivers.nats.client import Connection, Incoming
from shoal.drivers.nats.fetch import Fetcher
from shoal.drivers.nats.mux import Answered, Mux
from shoal.errors import EngineError, Unavailable

WINDOW = 512
"""Messages in flight while publishing."""

ANSWER_SECONDS = 5.0
"""Without any answer for so long, the broker is away."""


class NatsBroker:
    """A `base.Broker`."""

    def __init__(self, url: str) -> None:
        self._mux = Mux()
        self._connection = Connection(url, self._mux)
        self._fetcher = Fetcher(self._connection, self._mux)

    async def open(self) -> None:
        """Connect for ever."""
        await self._connection.listen(self._mux.PART, self._mux.receive)
        await self._connection.open()

    async def close(self) -> None:
        """Let go of the connection."""
        await self._connection.close()

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._connection.ping()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send all, keeping a window of them unacknowledged."""
        batch = _Batch()
        token = self._mux.enter(batch)
        try:
            for number, message in enumerate(messages):
                await self._send(batch, token, str(number), message)
            while batch.waiting:
                await batch.settle(0)
        finally:
            self._mux.leave(token)

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Ask the durable consumer by its name, which needs no right to look at it or change it."""
        return await self._fetcher.fetch(consumer, limit, wait)

    async def _send(self, batch: "_Batch", token: str, number: str, message: Message) -> None:
        while len(batch.waiting) >= WINDOW:
            await batch.settle(WINDOW // 2)
        batch.check()
        try:
            headers = wire.headers(message)
        except ValueError as error:
            raise EngineError(str(error), hint="keep header values on one line") from error
        batch.waiting[number] = message.subject
        await self._connection.send(message.subject, message.body, token=token + number, headers=headers)


class _Batch(Answered):
    """Publications that wait for their acknowledgement: number → subject."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, str] = {}
        self._enough = 0

    async def settle(self, enough: int) -> None:
        """Wait until at most so many are left."""
        self._enough = enough
        await self.pause(ANSWER_SECONDS, f"NATS acknowledged nothing for {ANSWER_SECONDS:g} s")

    def receive(self, number: str, message: Incoming) -> None:
        """Count an acknowledgement; that of a duplicate is one too."""
        subject = self.waiting.pop(number, "")
        if (message.headers or {}).get(wire.STATUS) == wire.NO_RESPONDERS:
            self.fail(Unavailable(f"no stream takes the subject {subject}", hint="declare the streams first"))
        elif (fault := wire.answer(message.data).error) is not None:
            self.fail(
                Unavailable(f"NATS did not store a message for {subject}: {fault.description} ({fault.err_code})")
            )
        elif len(self.waiting) <= self._enough:
            self.wake()

    def asked(self, subject: str) -> str:
        """Look among the subjects that wait."""
        return next((waiting for waiting in self.waiting.values() if waiting.lower() == subject), "")
