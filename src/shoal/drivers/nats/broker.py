"""One service's use of JetStream: publish many at a time, and fetch what is there."""

from collections.abc import Sequence

from shoal.drivers.base import Consumer, Delivery, Message, Outcome, Position
from shoal.drivers.nats import wire
from shoal.drivers.nats.api import Api
from shoal.drivers.nats.client import Connection
from shoal.drivers.nats.fetch import Fetcher
from shoal.drivers.nats.mux import Mux
from shoal.drivers.nats.publish import Publisher
from shoal.errors import Unavailable

RESET_SECONDS = 2.0
"""Within so long a consumer that exists is rewound; the server says nothing of one that does not."""


class NatsBroker:
    """A `base.Broker`."""

    def __init__(self, url: str) -> None:
        self._mux = Mux()
        self._connection = Connection(url, self._mux)
        self._fetcher = Fetcher(self._connection, self._mux)
        self._publisher = Publisher(self._connection, self._mux)
        self._api = Api(self._connection, self._mux)

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

    @property
    def epoch(self) -> int:
        """How often the connection was made or lost."""
        return self._connection.epoch

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        """Send all, keeping a window of them unacknowledged."""
        return await self._publisher.publish(messages, after)

    async def position(self, stream: str) -> Position | None:
        """Ask for the stream's state."""
        info = await self._api.ask(f"STREAM.INFO.{stream}", None, wire.StreamInfo)
        if info.error is None:
            return info.position
        if info.error.err_code == wire.STREAM_NOT_FOUND:
            return None
        raise Unavailable(f"NATS cannot describe stream {stream}: {info.error.description} ({info.error.err_code})")

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Ask the durable consumer by its name, which needs no right to look at it or change it."""
        return await self._fetcher.fetch(consumer, limit, wait)

    async def rewind(self, consumer: Consumer) -> None:
        """Reset the consumer to the first message that is not answered (ADR-60; NATS 2.14)."""
        subject = f"CONSUMER.RESET.{consumer.stream}.{consumer.name}"
        answer = await self._api.ask(subject, None, wire.Answer, within=RESET_SECONDS)
        if answer.error is not None:
            what = f"{answer.error.description} ({answer.error.err_code})"
            raise Unavailable(
                f"NATS cannot rewind consumer {consumer.name} of stream {consumer.stream}: {what}",
                hint="declare the streams and consumers first",
            )
