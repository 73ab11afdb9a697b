"""One message in the hands of a service, and the answers it may give."""

from datetime import UTC, datetime, timedelta

from shoal.drivers.base import Message
from shoal.drivers.nats import wire
from shoal.drivers.nats.client import Connection, Incoming

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class NatsDelivery:
    """A `base.Delivery`. An answer that the broker does not hear counts as none: the message comes again."""

    def __init__(self, connection: Connection, incoming: Incoming) -> None:
        self._connection = connection
        self._reply = incoming.reply
        self._meta = wire.metadata(incoming.reply)
        self._message = wire.message(incoming.subject, self._meta, incoming.data, incoming.headers)
        self._answered = False

    @property
    def message(self) -> Message:
        """The message."""
        return self._message

    @property
    def sequence(self) -> int:
        """Its place in the stream."""
        return self._meta.sequence

    @property
    def at(self) -> datetime:
        """When the stream stored it."""
        return _BEGINNING + timedelta(microseconds=self._meta.at // 1000)

    @property
    def number(self) -> int:
        """Which of the consumer's deliveries this is."""
        return self._meta.number

    async def ack(self) -> None:
        """Settle it."""
        await self._answer(wire.ACK)

    async def give_back(self) -> None:
        """Let it be delivered again at once."""
        await self._answer(wire.GIVE_BACK)

    async def progress(self) -> None:
        """Ask for more time."""
        if not self._answered:
            await self._say(wire.PROGRESS)

    async def drop(self) -> None:
        """Terminate it."""
        await self._answer(wire.DROP)

    async def _answer(self, what: bytes) -> None:
        """Give the one answer; later ones change nothing."""
        if not self._answered:
            self._answered = True
            await self._say(what)

    async def _say(self, what: bytes) -> None:
        await self._connection.answer(self._reply, what)
