"""Empty the outbox into the broker: one active relay per service, whichever replica holds the right.

Messages of one key keep their order: a batch goes out in waves in which every key appears once, and a key whose
message failed waits as a whole. A message that the broker refuses for good is set aside with the reason; its key waits
behind it, everything else goes on. Each message names the place behind which it goes: a stream that lost messages, that
is another one or into which somebody else writes takes none, and is looked at first. One that stands lower than what it
once acknowledged has lost messages, and what the outbox still has of them is published again.
"""

import asyncio
import logging
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from math import inf
from time import time_ns

from shoal.drivers.base import Broker, OutboxLease, Pending, Published, Sent, Store
from shoal.errors import Contended, EngineError, ShoalError, Unavailable
from shoal.runtime.messaging import published
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.readdress import readdress

BATCH = 500
"""Rows of one round: all that the relay ever has in memory."""

SHORTEST, LONGEST = 0.04, 1.0
"""Seconds between looks at the outbox, with other replicas that write to it and without."""

WINDOW = timedelta(days=7)
"""For so long messages can be published again, and marks of handled ones are kept."""

TIDY_SECONDS = 3600.0

COMPARE_SECONDS = 15.0
"""Pause after which the broker's stream is looked at again, for one that is lost while there is nothing to publish."""

REPRIEVE_SECONDS = 60.0
"""Pause after which refused messages are tried again."""

MOST_REFUSED = 1_000
"""Messages set aside between two tries; if there are more, it is not they who are at fault, and the relay waits."""

STRIKES = 5
"""Times that a message fails while others beside it go, until the fault is counted as its own."""

_LOST = "stream %s goes on after %d, although %d was acknowledged: the broker lost messages, and %d of them go again"

_ANOTHER = "stream %s is not the one that there was: %d messages that only that one held go again"

_log = logging.getLogger("shoal.relay")


class Relay:
    """Publishes what transactions announced.

    Args:
        stream: The service's own stream.
        metrics: Counts the right to relay.
        kind: The broker's kind, for telemetry.
    """

    def __init__(self, store: Store, broker: Broker, stream: str, metrics: Metrics, kind: str = "") -> None:
        self._store, self._broker, self._stream, self._metrics = store, broker, stream, metrics
        self._news = asyncio.Event()
        self._notes = Notes(kind)
        self._tidied = -inf

    def poke(self) -> None:
        """Say that something was announced in this process."""
        self._news.set()

    async def run(self) -> None:
        """Relay until cancelled, through every outage of store and broker."""
        delay = 0.1
        while True:
            started = _now()
            try:
                await self._serve()
            except EngineError as error:
                _log.warning("relay interrupted, trying again in about %.1f s: %s", delay, error)
            except Exception:  # noqa: BLE001 - the relay must go on, whatever a driver raises
                _log.exception("relay failed, trying again in about %.1f s", delay)
            delay = 0.1 if _now() - started > 10 * delay else min(delay * 2, 2.0)
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load

    async def _serve(self) -> None:
        """Relay for as long as this process has the right to; in an outage of ours another's may still work."""
        async with self._metrics.held("relay", self._store.outbox()) as lease:
            tidying = asyncio.create_task(self._tidy(lease))
            try:
                await Shift(lease, self._broker, self._stream, self._news, self._notes).run()
            finally:
                tidying.cancel()
                await asyncio.gather(tidying, return_exceptions=True)

    async def _tidy(self, lease: OutboxLease) -> None:
        while True:
            await asyncio.sleep(max(0.0, self._tidied + TIDY_SECONDS - _now()))
            self._tidied = _now()
            try:
                await lease.tidy(WINDOW)
            except EngineError as error:
                _log.warning("the outbox was not tidied, trying again later: %s", error)


class Shift:
    """The time in which this process has the right to empty the outbox."""

    def __init__(self, lease: OutboxLease, broker: Broker, stream: str, news: asyncio.Event, notes: "Notes") -> None:
        self._lease, self._broker, self._stream, self._news, self._notes = lease, broker, stream, news, notes
        self._epoch: int | None = None
        self._place: int | None = None
        """Where the stream ends; None while it has messages of which we were not told: which of ours, their ids say."""
        self._refused = 0
        self._reprieved = -inf
        self._looked = -inf
        self._compared = -inf
        self._rivals = False
        self._unmarked: list[Sent] = []
        """What was acknowledged; it is marked while the next round is published."""
        self._turn = asyncio.Lock()
        """Who writes to the outbox: it takes one statement at a time."""

    async def run(self) -> None:
        """Relay until the right is lost, or the broker."""
        try:
            await self._run()
        finally:
            await self._mark()

    async def _run(self) -> None:
        pause = SHORTEST
        while True:
            self._news.clear()
            await self._reprieve()
            if self._epoch != self._broker.epoch or _now() - self._compared >= COMPARE_SECONDS:
                await self._compare()
            if await self._round():
                pause = SHORTEST
                continue
            pause = min(pause * 1.5, await self._longest())
            await self._wait(pause)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    async def _longest(self) -> float:
        """Say how long to wait for a poke: other processes cannot give one."""
        now = _now()
        if now - self._looked >= LONGEST:
            self._looked, self._rivals = now, await self._lease.rivals()
        return SHORTEST if self._rivals else LONGEST

    async def _reprieve(self) -> None:
        now = _now()
        if now - self._reprieved >= REPRIEVE_SECONDS:
            self._reprieved, self._refused = now, 0
            await self._lease.reprieve()

    async def _compare(self) -> None:
        """See whether the broker, which may be another one now, still has what it acknowledged."""
        await self._mark()
        epoch = self._broker.epoch
        position = await self._broker.position(self._stream)
        if position is None:
            raise Unavailable(f"there is no stream {self._stream}", hint="it is made again by whoever runs the system")
        if lost := await self._lease.meet(position.made):
            _log.error(_ANOTHER, self._stream, lost)
        highest = await self._lease.highest()
        if position.last < highest:
            count = await self._lease.forget(position.last)
            _log.error(_LOST, self._stream, position.last, highest, count)
        self._place = position.last if position.last <= highest else None
        self._epoch, self._compared = epoch, _now()

    async def _round(self) -> bool:
        """Publish what waits longest; say whether more of it may go at once."""
        if self._refused >= MOST_REFUSED:
            await self._mark()
            return False
        done = [sent.position for sent in self._unmarked]
        rows = [readdress(row) for row in await self._lease.pending(BATCH, done)]
        if not rows:
            await self._mark()
            return False
        taken, marking = _Round(), asyncio.create_task(self._mark())
        try:
            for wave in waves(rows):
                ready = [row for row in wave if row.message.key not in taken.waiting]
                if ready:
                    await self._publish(ready, taken)
                if taken.failure is not None and not taken.some:
                    raise taken.failure
                if self._epoch is None:
                    break
        finally:
            try:
                await marking
            finally:
                self._unmarked += taken.sent
        return taken.some or taken.failure is None

    async def _mark(self) -> None:
        """Mark what was acknowledged; nothing is added to it meanwhile."""
        async with self._turn:
            if done := self._unmarked:
                await self._lease.sent(done)
                self._unmarked = []

    async def _publish(self, rows: Sequence[Pending], taken: "_Round") -> None:
        """Publish rows of which no two have the same key."""
        if self._epoch != self._broker.epoch:  # what it lost comes first, or the order within keys is gone
            raise Unavailable("the broker was connected to anew before it was looked at", hint="it is looked at next")
        began = time_ns()
        outcomes = await self._broker.publish([row.message for row in rows], after=self._place)
        published(rows, outcomes, self._notes.kind, began)
        places = [outcome.sequence for outcome in outcomes if isinstance(outcome, Published)]
        self._place = max(self._place or 0, *places) if places else self._place
        for row, outcome in zip(rows, outcomes, strict=True):
            if isinstance(outcome, Published):
                self._notes.strikes.pop(row.position, None)
                taken.sent.append(Sent(position=row.position, sequence=outcome.sequence))
                continue
            taken.waiting |= {row.message.key} - {""}
            if isinstance(outcome, Contended):
                self._epoch, taken.failure = None, outcome  # the stream is looked at before anything else goes
            elif isinstance(outcome, Unavailable) and not (places and self._strike(row)):
                taken.failure = outcome
            else:
                taken.aside += 1
                await self._set_aside(row, outcome)

    def _strike(self, row: Pending) -> bool:
        """Count a failure that others beside it did not share; say whether there were too many."""
        strikes = self._notes.strikes
        count, epoch = strikes.get(row.position, (0, self._epoch))
        strikes[row.position] = (count + 1 if epoch == self._epoch else 1), self._epoch
        return strikes[row.position][0] >= STRIKES

    async def _set_aside(self, row: Pending, refusal: ShoalError) -> None:
        self._refused += 1
        async with self._turn:
            await self._lease.refuse(row.position, refusal.message)
        notes = self._notes
        if notes.refused.get(row.position) != refusal.message:  # once, and not with every try
            _log.error("message %s (%s) is set aside: %s", row.message.id, row.message.subject, refusal)
        if len(notes.refused) > MOST_REFUSED:
            notes.refused.clear()
            notes.strikes.clear()
        notes.refused[row.position] = refusal.message


class Notes:
    """What a process remembers of messages, whoever has the right meanwhile."""

    def __init__(self, kind: str = "") -> None:
        self.kind = kind
        """The broker's kind, for telemetry."""
        self.refused: dict[int, str] = {}
        """Why messages were set aside, so that it is said once."""
        self.strikes: dict[int, tuple[int, int | None]] = {}
        """How often messages failed alone, and over which connection."""


class _Round:
    """What became of the rows of one round."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.aside = 0
        self.waiting: set[str] = set()
        """Keys of which nothing more may go."""
        self.failure: Unavailable | None = None

    @property
    def some(self) -> bool:
        """Tell whether anything is out of the way now."""
        return bool(self.sent or self.aside)


def waves(rows: Sequence[Pending]) -> Iterator[Sequence[Pending]]:
    """Split rows so that no two of a wave have the same key, and those of one key follow each other in order."""
    found: list[list[Pending]] = []
    depth: dict[str, int] = {}
    for row in rows:
        key = row.message.key
        number = depth.get(key, 0)
        if key:
            depth[key] = number + 1
        if number == len(found):
            found.append([])
        found[number].append(row)
    return iter(found)


def _now() -> float:
    return asyncio.get_running_loop().time()
