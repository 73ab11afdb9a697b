"""What a publisher hears of its own stream: AMQP confirms that a message is stored, and does not say where."""

import asyncio

from shoal.drivers.rabbitmq import library
from shoal.drivers.rabbitmq.library import Parcel
from shoal.drivers.rabbitmq.link import Link

AHEAD = 2000
"""Messages that the server sends before any is answered."""


class Echo:
    """One stream, heard from its present end on."""

    def __init__(self, link: Link, stream: str) -> None:
        self._link, self._stream = link, stream
        self._channel: library.Channel | None = None
        self._waiting: dict[str, asyncio.Future[int]] = {}
        self._unanswered = 0

    @property
    def open(self) -> bool:
        """Whether it is heard."""
        return self._channel is not None and self._channel.open

    async def begin(self) -> None:
        """Hear everything that is published after this."""
        channel = await self._link.channel()
        try:
            await self._link.ask(channel.barrier(AHEAD))
            await self._link.ask(channel.subscribe(self._stream, "next", self._heard))
            await self._link.ask(channel.barrier(AHEAD))  # the subscription begins after it is answered
        except library.Ended as ended:
            await channel.close()
            raise self._link.refusal(ended, f"read stream {self._stream}, to which it publishes") from ended
        self._channel = channel
        channel.when_ended(self.fail)

    def expect(self, mark: str) -> asyncio.Future[int]:
        """Return what becomes the place of a message."""
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[mark] = found
        return found

    def forget(self, mark: str) -> None:
        """Wait for a message no longer."""
        found = self._waiting.pop(mark, None)
        if found is not None:
            found.cancel()

    def fail(self) -> None:
        """Let everybody know that nothing more is heard."""
        channel, self._channel = self._channel, None
        waiting, self._waiting = self._waiting, {}
        for found in waiting.values():
            if not found.done():
                found.set_exception(self._link.away())
                found.exception()  # whoever waits raises it
        if channel is not None and channel.open:
            asyncio.ensure_future(channel.close()).add_done_callback(lambda _: None)

    def _heard(self, parcel: Parcel) -> None:
        found = self._waiting.pop(parcel.mark, None)
        if found is not None and not found.done():
            found.set_result(parcel.offset + 1)
        self._unanswered += 1
        if self._unanswered >= AHEAD // 4 and self._channel is not None:
            self._unanswered = 0
            self._channel.ack(parcel.tag)
