"""The one offset that a cluster keeps of a consumer: the first that is not answered.

A cluster forgets the offset of a group without members some days after it was committed
(``offsets.retention.minutes``), so it is committed again from time to time although nothing has changed.
"""

import asyncio
import logging

from shoal.drivers.base import Consumer
from shoal.drivers.base.holding import Holding
from shoal.drivers.kafka import library, wire
from shoal.drivers.kafka.ends import ends
from shoal.drivers.kafka.link import NOT_COORDINATOR, Link
from shoal.errors import EngineError, Unavailable, Undeclared

PAUSE_SECONDS = 0.02
"""Between two commits of a consumer."""

REFRESH_SECONDS = 3600.0
FAR = 256
"""Records of others that are passed before it is committed that they were."""

_log = logging.getLogger("shoal.kafka")


class Offsets:
    """The commits of one connection."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._refreshed: dict[str, float] = {}

    def commit_soon(self, holding: Holding) -> None:
        """Commit what is answered, together with what is answered within a moment."""
        name = wire.group(holding.consumer)
        if holding.floor > holding.committed and (name not in self._tasks or self._tasks[name].done()):
            self._tasks[name] = asyncio.ensure_future(self._later(holding))

    def refresh(self, holding: Holding) -> None:
        """Commit what others' messages were passed, and what was committed long ago."""
        now = asyncio.get_running_loop().time()
        since = self._refreshed.setdefault(wire.group(holding.consumer), now)
        if now - since > REFRESH_SECONDS:
            self._refreshed[wire.group(holding.consumer)] = now
            holding.committed = -1
        if holding.floor - holding.committed > FAR or holding.committed < 0:
            self.commit_soon(holding)

    async def flush(self, holding: Holding) -> None:
        """Commit what is answered, now."""
        floor = holding.floor
        if floor > holding.committed:
            await self._commit(holding, floor)

    async def stop(self) -> None:
        """Commit nothing more."""
        tasks = [*self._tasks.values()]
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self) -> None:
        """Begin anew."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def start(self, consumer: Consumer, topic: library.Topic) -> int:
        """Say where a reader begins: at the committed offset, or at the beginning when it belongs to another topic."""
        kept = await self._kept(consumer, topic)
        first, last = await ends(self._link, topic)
        if first <= kept <= last:
            return kept
        if kept > last:
            what = "%s of stream %s had come to %d, and the stream ends at %d: it has lost messages, and is read anew"
            _log.error(what, consumer.name, topic.name, kept, last)
        elif kept >= 0:
            what = "%s of stream %s had come to %d, and the stream begins at %d: what lay between is too old, and gone"
            _log.error(what, consumer.name, topic.name, kept, first + 1)
        return first

    async def _later(self, holding: Holding) -> None:
        while holding.floor > holding.committed and holding.epoch == self._link.epoch:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                await self._commit(holding, holding.floor)
            except (EngineError, Undeclared) as error:  # it comes again, and meets its mark
                _log.debug("cannot commit: %s", error)
                return

    async def _commit(self, holding: Holding, offset: int) -> None:
        name, stream = wire.group(holding.consumer), holding.consumer.stream
        node = await self._link.coordinator(name)
        answer = await self._link.ask(library.commit(name, stream, offset, holding.made), node=node)
        self._require(library.committed(answer), f"commit offset {offset} of group {name}")
        holding.committed = max(holding.committed, offset)

    async def _kept(self, consumer: Consumer, topic: library.Topic) -> int:
        """Ask for the committed offset; -1 when there is none, or it belongs to a topic of the same name."""
        name = wire.group(consumer)
        answer = await self._link.ask(
            library.kept_offset(name, consumer.stream), node=await self._link.coordinator(name)
        )
        error, offset, note = library.kept(answer)
        self._require(error, f"read the offset of group {name}")
        return -1 if note and note != topic.id else offset

    def _require(self, error: int, what: str) -> None:
        if error in wire.FORBIDDEN:
            raise Undeclared(f"this service may not {what}", hint="declare what it subscribes to")
        if error in NOT_COORDINATOR:
            self._link.lose()
        if error:
            raise Unavailable(
                f"{self._link.address.place} did not {what}: {library.error_name(error)}", hint="try again"
            )
