"""Run handlers in transactions: effect, inbox mark and the handler's own events commit together, or none of them.

Messages whose handlers touch nothing but the store share a transaction, without savepoints, which cost a round trip
each. When a handler fails in it, those before it share another one, and it is tried for itself; when something else
fails, such as the commit, each is tried in a savepoint, so that the others still commit, and at last in a transaction
of its own. Running a handler again is safe, since what it did before was rolled back.
"""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from types import TracebackType

import msgspec

from shoal.drivers.base import Mark, Session, Store
from shoal.errors import Contended, ShoalError, TimedOut, TooLarge, Unavailable
from shoal.runtime.consuming.attempts import NONE, Tally
from shoal.runtime.consuming.desk import Desk, Subscriber
from shoal.runtime.consuming.item import Item
from shoal.runtime.consuming.processing import begun, ended, trace_of
from shoal.runtime.deadline import Budget, Limit, Limits
from shoal.runtime.failures import is_outage
from shoal.runtime.portions import Portion
from shoal.runtime.privacy.opening import opener_of
from shoal.runtime.request import Request
from shoal.runtime.trace import Context, current
from shoal.runtime.transaction import UnitOfWork
from shoal.service import codec
from shoal.telemetry.spans import Span

PEACE_SECONDS = 10.0
"""For so long messages share no transaction after one that held too much at once, and met others that did."""

SPAN = 0.25
"""Seconds after which a shared transaction takes no further message."""

BATCH = 128
"""Most messages of one shared transaction."""

_limits = Limits()


@dataclass(slots=True)
class Results:
    """What became of some messages; those that it does not name were not reached."""

    done: list[tuple[Item, float]] = field(default_factory=list)
    """With the seconds that their handlers took."""
    failed: list[tuple[Item, Exception]] = field(default_factory=list)
    repeated: list[Item] = field(default_factory=list)
    """Handled before."""


class Worker:
    """Handles messages of one consumer."""

    def __init__(self, desk: Desk, tally: Tally) -> None:
        self._desk, self._tally = desk, tally
        self._alone_until = -inf
        self._portion = Portion(BATCH)

    async def handle(self, items: Sequence[Item]) -> Results:
        """Handle messages that may share a transaction, or a single one; in order within each key.

        Raises:
            Unavailable: The store is away; nothing is known of any message.
        """
        found = Results()
        readable = [item for item in await self._opened(items, found) if self._readable(item, found)]
        if readable:
            await self._handle(readable, found)
        return found

    async def _handle(self, items: Sequence[Item], found: Results) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._alone_until:
            await self._handle_alone(items, found)
            return
        items = items[: self._portion.size]
        part = _Part(until=time.monotonic() + SPAN)
        try:
            found.done += await self._commit(items, part)
            self._portion.grow()
        except Exception as error:  # noqa: BLE001 - the border: a handler may raise anything
            if len(items) == 1:
                found.failed.append((items[0], error))
            elif isinstance(error, TooLarge):
                self._portion.halve(len(items))
                await self._handle(items, found)
            elif isinstance(error, Contended):
                self._alone_until = now + PEACE_SECONDS
                await self._handle_alone(items, found)
            else:
                await self._handle_again(items, part.calling, error, found)

    async def _handle_again(
        self, items: Sequence[Item], culprit: Item | None, error: Exception, found: Results
    ) -> None:
        """Handle messages that failed together: those before one whose handler failed, or each in a part of its own."""
        if isinstance(error, Unavailable):
            await self._desk.store.ping()
        if culprit is not None:  # it is tried for itself, before the others of its key
            culprit.solitary = True
            if before := list(itertools.takewhile(lambda item: item is not culprit, items)):
                await self._handle(before, found)
            return
        handled = await self._desk.store.handled([_mark(item) for item in items])
        found.repeated += [item for item in items if item.mark in handled]
        await self._handle_apart([item for item in items if item.mark not in handled], found)

    async def _handle_apart(self, items: Sequence[Item], found: Results) -> None:
        try:
            done, failed = await self._commit_apart(items)
        except Exception:  # noqa: BLE001 - each alone shows whose fault it was
            await self._handle_alone(items, found)
        else:
            found.done += done
            found.failed += failed

    async def _handle_alone(self, items: Sequence[Item], found: Results) -> None:
        closed: set[str] = set()
        for item in items:
            if item.key in closed:
                continue
            try:
                found.done += await self._commit([item], _Part(until=inf))
            except Exception as error:  # noqa: BLE001 - as above
                closed.add(item.key)
                found.failed.append((item, error))
                if isinstance(error, Unavailable):
                    await self._desk.store.ping()

    async def _opened(self, items: Sequence[Item], found: Results) -> Sequence[Item]:
        """Unseal what is personal; none overtakes one of its key that cannot be unsealed."""
        try:
            await open_sealed(self._desk.store, items)
        except ShoalError as error:
            if len(items) == 1 or is_outage(error):  # an owner of keys is away
                found.failed += [(item, error) for item in items]
                return ()
        else:
            return items
        good, closed = list[Item](), set[str]()
        for item in items:
            if item.key in closed:
                continue
            if await self._opened([item], found):
                good.append(item)
            else:
                closed.add(item.key)
        return good

    def _readable(self, item: Item, found: Results) -> bool:
        """Decode a message once; one of a wrong shape is never going to be handled."""
        subscriber = item.subscriber
        if item.event is not None or subscriber is None or item.envelope is None:
            return item.event is not None
        try:
            item.event = subscriber.codec.decode(item.opened or bytes(item.envelope.data))
        except codec.Malformed as error:
            item.fault = f"its data is not what {subscriber.name} takes: {error}"
            found.failed.append((item, error))
        except Exception as error:  # noqa: BLE001 - an author's upcaster may raise anything
            found.failed.append((item, error))
        return item.event is not None

    async def _commit(self, items: Sequence[Item], part: "_Part") -> list[tuple[Item, float]]:
        """Handle messages in one transaction; those that come too late for it are left out of the result."""
        with part:
            async with self._desk.store.session() as session:
                for run in runs(items):
                    if not part.late:
                        await self._run(session, run, part)
        self._committed(part)
        return part.done

    async def _commit_apart(
        self, items: Sequence[Item]
    ) -> tuple[list[tuple[Item, float]], list[tuple[Item, Exception]]]:
        """Handle messages in one transaction, each in a part of its own."""
        whole, failed = _Part(until=inf), list[tuple[Item, Exception]]()
        closed: set[str] = set()
        with whole:
            async with self._desk.store.session() as session:
                for item in items:
                    if item.key in closed:
                        continue
                    part = _Part(until=inf, behind=whole.uncommitted)
                    try:
                        await self._run_saved(session, item, part)
                    except (TimedOut, Unavailable):  # a deadlock, perhaps: what the transaction holds stops others
                        raise
                    except Exception as error:  # noqa: BLE001 - as above
                        closed.add(item.key)
                        failed.append((item, error))
                    else:
                        whole.add(part)
        self._committed(whole)
        return whole.done, failed

    async def _run_saved(self, session: Session, item: Item, part: "_Part") -> None:
        """Handle one message in a part of a transaction that can fail alone."""
        try:
            async with session.savepoint():
                await self._run(session, [item], part)
                await session.flush()  # what its writes meet is its own failure
        except BaseException as error:
            part.end(error)
            raise

    async def _run(self, session: Session, run: Sequence[Item], part: "_Part") -> None:
        """Call one handler with messages of its own, within a transaction."""
        if _subscriber(run[0]).batch:
            for item in run:
                self._accept(session, item)
            seconds = await self._call(session, run, part)
            part.done += [(item, seconds / len(run)) for item in run]
            return
        for item in run:
            if part.late:
                return
            self._accept(session, item)
            part.calling = item
            part.done.append((item, await self._call(session, [item], part)))
            part.calling = None

    def _accept(self, session: Session, item: Item) -> None:
        """Record that a message is handled; what was written of its attempts goes with it."""
        session.accept(_mark(item))
        if item.attempts is not NONE:
            self._tally.forget(session, item.id)

    async def _call(self, session: Session, run: Sequence[Item], part: "_Part") -> float:
        """Call a handler, and return how many seconds it took."""
        subscriber = _subscriber(run[0])
        budget = Budget(subscriber.policy.timeout)
        process = begun(self._desk, run[0], subscriber)
        process.link(run[1:])
        if process.span is not None:
            part.spans.append(process.span)
        context = Context(process.trace, budget, span=process.span)
        current.set(context)
        request = Request({"path": "", "query_string": b""}, {}, (), context)
        request.body = [item.event for item in run] if subscriber.batch else run[0].event
        request.events = tuple(item.envelope for item in run if item.envelope is not None)
        request.transaction = unit = UnitOfWork(
            session, self._desk.announcer, only_store=subscriber.plan.only_store, uncommitted=part.uncommitted
        )
        began = time.perf_counter()
        with Limit(_limits, budget):
            if not subscriber.plan.only_transaction:
                await session.flush()  # whoever else has this message waits for our end
            await subscriber.handler(**subscriber.plan.arguments(request))
        part.units.append(unit)
        return time.perf_counter() - began

    def _committed(self, part: "_Part") -> None:
        for unit in part.units:
            unit.committed(self._desk.poke)


@dataclass(slots=True, kw_only=True)
class _Part:
    """What was done within a transaction, or within a part of it."""

    until: float
    behind: bool = False
    """Whether something was written in the transaction before this part of it."""
    calling: Item | None = None
    """The message whose handler runs, when it takes one at a time."""
    done: list[tuple[Item, float]] = field(default_factory=list)
    units: list[UnitOfWork] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    """Of the handlers that ran in it."""

    def __enter__(self) -> None:
        """Begin the transaction."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        """End the spans; what is done next belongs to the trace still, and to none of them."""
        ended(self.spans, self.spans[-1] if self.calling is not None and self.spans else None, error)
        self.spans = []
        context = current.get()
        if context is not None and context.span is not None:
            current.set(msgspec.structs.replace(context, span=None))

    @property
    def uncommitted(self) -> bool:
        """Whether something is written in the transaction that has not committed."""
        return self.units[-1].uncommitted if self.units else self.behind

    @property
    def late(self) -> bool:
        """Whether the transaction is to take no further message."""
        return bool(self.done) and time.monotonic() > self.until

    def add(self, other: "_Part") -> None:
        """Count another part as done."""
        self.done += other.done
        self.units += other.units
        self.spans += other.spans


def runs(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Part messages into calls of one handler each, in order within each key."""
    rest = list(items)
    while rest:
        subscriber = _subscriber(rest[0])
        most = subscriber.batch or len(rest)
        run: list[Item] = []
        later: list[Item] = []
        behind: set[str] = set()
        for item in rest:
            if item.subscriber is subscriber and item.key not in behind and len(run) < most:
                run.append(item)
            else:
                later.append(item)
                behind.add(item.key)
        yield run
        rest = later


async def open_sealed(store: Store, items: Sequence[Item]) -> None:
    """Unseal the personal fields of those that have any.

    Raises:
        Unavailable: The owner of their keys does not lend.
    """
    found = [
        (item, item.envelope)
        for item in items
        if item.subscriber is not None
        and item.subscriber.personal
        and item.envelope is not None
        and item.opened is None
    ]
    if not found:
        return
    outer = current.get()
    current.set(Context(trace_of(found[0][0]), Budget(inf)))  # what an owner is asked belongs to the event's trace
    try:
        opened = await opener_of(store).open([(envelope.type, bytes(envelope.data)) for _, envelope in found])
    finally:
        current.set(outer)
    for (item, _), data in zip(found, opened, strict=True):
        item.opened = data


def _subscriber(item: Item) -> Subscriber:
    if item.subscriber is None:
        raise RuntimeError("unreachable: only messages that somebody handles are handled")
    return item.subscriber


def _mark(item: Item) -> Mark:
    if item.mark is None:
        raise RuntimeError("unreachable: only events are handled")
    return item.mark
