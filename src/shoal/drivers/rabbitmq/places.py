"""Where consumers have come to: each has a stream of its own, whose last message is the place."""

import asyncio
import logging

import msgspec

from shoal.drivers.base import Consumer
from shoal.drivers.base.holding import Holding
from shoal.drivers.rabbitmq import library, wire
from shoal.drivers.rabbitmq.ends import edge, require_ends
from shoal.drivers.rabbitmq.link import Link
from shoal.errors import EngineError, ShoalError, Unavailable, Undeclared

PAUSE_SECONDS = 0.02
"""Between two commits of a consumer."""

FAR = 256
"""Messages of others that are passed before it is written that they were."""

_log = logging.getLogger("shoal.rabbitmq")


class Places:
    """The commits of one connection."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._channel: library.Channel | None = None
        self._opening = asyncio.Lock()

    def commit_soon(self, holding: Holding) -> None:
        """Write what is answered, together with what is answered within a moment."""
        name = wire.place_key(holding.consumer)
        if holding.floor > holding.committed and (name not in self._tasks or self._tasks[name].done()):
            self._tasks[name] = asyncio.ensure_future(self._later(holding))

    def refresh(self, holding: Holding) -> None:
        """Write which messages of others were passed."""
        if holding.floor - holding.committed > FAR:
            self.commit_soon(holding)

    async def flush(self, holding: Holding) -> None:
        """Write what is answered, now."""
        floor = holding.floor
        if floor > holding.committed:
            await self._commit(holding, floor)

    async def stop(self) -> None:
        """Write nothing more."""
        tasks = [*self._tasks.values()]
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self) -> None:
        """Begin anew."""
        self._channel = None
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def start(self, consumer: Consumer, made: str) -> int:
        """Say where a reader begins: at the place that was written, or at the beginning of what is another stream."""
        kept = await self.read(consumer)
        first, end = await require_ends(self._link, consumer.stream)
        if kept.made != made:
            return first
        if first <= kept.next <= end:
            return kept.next
        if kept.next > end:
            what = "%s of stream %s had come to %d, and the stream ends at %d: it has lost messages, and is read anew"
            _log.error(what, consumer.name, consumer.stream, kept.next, end)
        elif kept.next:
            what = "%s of stream %s had come to %d, and the stream begins at %d: what lay between is too old, and gone"
            _log.error(what, consumer.name, consumer.stream, kept.next, first + 1)
        return first

    async def read(self, consumer: Consumer) -> wire.Place:
        """Look at the last message; the beginning when there is none."""
        try:
            found = await edge(self._link, wire.place_queue(consumer))
        except Undeclared as error:
            what = f"this service may not use consumer {consumer.name} of stream {consumer.stream}"
            raise Undeclared(what, hint="declare what it subscribes to") from error
        if found is None:
            what = f"nothing is known of where consumer {consumer.name} of stream {consumer.stream} has come to"
            raise Unavailable(what, hint="declare it again")
        return wire.place(found[1][-1].body) if found[1] else wire.Place()

    async def _later(self, holding: Holding) -> None:
        while holding.floor > holding.committed and holding.epoch == self._link.epoch:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                await self._commit(holding, holding.floor)
            except (EngineError, Undeclared) as error:  # it comes again, and meets its mark
                _log.debug("cannot commit: %s", error)
                return

    async def _commit(self, holding: Holding, offset: int) -> None:
        consumer = holding.consumer
        await self.write(consumer, wire.Place(made=holding.made, next=offset))
        holding.committed = max(holding.committed, offset)

    async def write(self, consumer: Consumer, place: wire.Place) -> None:
        """Replace the message by another one."""
        what = f"write where consumer {consumer.name} of stream {consumer.stream} has come to"
        async with self._opening:
            if self._channel is None or not self._channel.open:
                self._channel = await self._link.channel()
            key = wire.place_key(consumer)
            sending = self._channel.publish(wire.PLACES, key, msgspec.json.encode(place), mark=key)
        try:
            await self._link.ask(sending)
        except library.Ended as ended:
            raise self._link.refusal(ended, what) from ended
        except library.NotTaken as error:
            raise _not_taken(what) from error


def _not_taken(what: str) -> ShoalError:
    return Unavailable(f"cannot {what}: there is no such consumer", hint="declare it first")
