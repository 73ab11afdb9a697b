"""Bugs that were planted on purpose, each a small patch of the real code, and each to be found by the simulation.

A mutant is a scenario that patches its process before it runs; it is only used in worker processes of its own.
"""

from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from shoal.drivers.base import Mark, Message, Outcome, Pending, Published, Sent, Store
from shoal.drivers.memory.leases import MemoryLease
from shoal.drivers.memory.outbox import MemoryOutbox
from shoal.errors import Conflict, Unavailable
from shoal.runtime import envelope, idempotency, relay
from shoal.runtime.consuming import attempts, item, work
from shoal.runtime.consuming.feed import Feed
from shoal.runtime.endpoint import Endpoint
from shoal.runtime.projections import fold, journal, tables
from shoal.runtime.sagas import progress
from shoal.testing.simulation.broker import ModelBroker
from shoal.testing.simulation.database import ModelStore
from shoal.testing.simulation.link import Link
from shoal.testing.simulation.session import ModelSession
from tests.simulation.scenario import Shopping


class Mutant(Shopping):
    """A scenario over code with one bug."""

    planted = False

    def __init__(self) -> None:
        super().__init__()
        if not type(self).planted:
            type(self).planted = True
            self.plant()

    def plant(self) -> None:
        """Patch this process."""
        raise NotImplementedError


class AckBeforeCommit(Mutant):
    """A message is acknowledged when it is taken: who dies over it has lost it."""

    def plant(self) -> None:
        handle = work.Worker.handle

        async def hasty(self: work.Worker, items: Sequence[item.Item]) -> work.Results:
            for one in items:
                await one.delivery.ack()
            return await handle(self, items)

        patch(work.Worker, "handle", hasty)


class PublishBeforeCommit(Mutant):
    """An event goes to the broker at once, and not into the outbox."""

    def plant(self) -> None:
        brokers: list[ModelBroker] = []
        make = ModelBroker.__init__

        def remember(self: ModelBroker, *args: Any) -> None:
            make(self, *args)
            brokers[:] = [self]

        def publish(self: ModelSession, message: Message) -> None:
            brokers[0].store(message)

        patch(ModelBroker, "__init__", remember)
        patch(ModelSession, "publish", publish)


class SequenceCursor(Mutant):
    """The relay remembers the highest position it sent: a commit that comes late is skipped."""

    def plant(self) -> None:
        pending, sent = MemoryOutbox.pending, MemoryOutbox.sent
        cursors: dict[int, int] = {}

        async def after(self: MemoryOutbox, limit: int) -> Sequence[Pending]:
            return [row for row in await pending(self, limit) if row.position > cursors.get(id(self._state), 0)]

        async def move(self: MemoryOutbox, rows: Sequence[Sent]) -> None:
            await sent(self, rows)
            cursors[id(self._state)] = max([cursors.get(id(self._state), 0), *(row.position for row in rows)])

        patch(MemoryOutbox, "pending", after)
        patch(MemoryOutbox, "sent", move)


class NoInbox(Mutant):
    """Nobody remembers what was handled."""

    def plant(self) -> None:
        patch(work.Worker, "_accept", lambda *_: None)
        patch(Feed, "_handled", nothing)


class InboxApart(Mutant):
    """What was handled is remembered in a transaction of its own, after the effect."""

    def plant(self) -> None:
        commit: Any = work.Worker._commit

        async def later(self: work.Worker, *args: Any) -> Any:
            done = await commit(self, *args)
            async with self._desk.store.session() as session:
                for one, _ in done:
                    session.accept(mark_of(one))
            return done

        patch(work.Worker, "_accept", lambda *_: None)
        patch(work.Worker, "_commit", later)


class NoLease(Mutant):
    """Every replica believes that it alone consumes."""

    def plant(self) -> None:
        @asynccontextmanager
        async def free(self: ModelStore, name: str, *, group: str = "") -> Any:
            yield MemoryLease(self, name, group)

        patch(ModelStore, "lease", free)


class LostCompensation(Mutant):
    """A saga that is undone forgets to undo its latest step."""

    def plant(self) -> None:
        turned = progress._turned

        def forgetful(saga: Any, before: Any, *args: Any, **more: Any) -> Any:
            return turned(saga, msgspec.structs.replace(before, done=before.done[:-1]), *args, **more)

        patch(progress, "_turned", forgetful)


class WrongId(Mutant):
    """Messages are told apart by their key, so that the broker takes a key's second event for its first."""

    def plant(self) -> None:
        pack = envelope.pack

        def confused(*args: Any, **more: Any) -> Message:
            message = pack(*args, **more)
            return msgspec.structs.replace(
                message, id=f"{message.subject}/{message.key}" if message.key else message.id
            )

        patch_everywhere(pack, confused)


class ReceiptApart(Mutant):
    """The answer to an idempotent command is remembered in a transaction of its own."""

    def plant(self) -> None:
        commit = Endpoint._commit

        async def later(self: Endpoint, request: Any, receipt: tuple[str, str] | None) -> Any:
            response = await commit(self, request, None)
            store = self._around.store
            if receipt is not None and store is not None:
                async with store.session() as session:
                    session.answer(idempotency.to_receipt(*receipt, response))
            return response

        patch(Endpoint, "_commit", later)


class NoRegress(Mutant):
    """The relay does not notice that the broker lost what it had."""

    def plant(self) -> None:
        async def believe(self: relay.Shift) -> None:
            self._epoch = self._broker.epoch

        patch(relay.Shift, "_compare", believe)
        publish = Link.publish

        def anywhere(self: Link, messages: Sequence[Message], *, after: int | None = None) -> Any:
            return publish(self, messages)

        patch(Link, "publish", anywhere)


class OrderIgnored(Mutant):
    """Events of one key are handled side by side, and a failing one lets the later ones pass."""

    def plant(self) -> None:
        read = item.read

        def loose(*args: Any) -> item.Item:
            found = read(*args)
            found.key = found.id
            return found

        patch(item, "read", loose)
        patch_everywhere(read, loose)


class UnlimitedAttempts(Mutant):
    """Poison is tried for ever."""

    def plant(self) -> None:
        failed = attempts.Attempts.failed

        def uncounted(self: attempts.Attempts, new: attempts.Try) -> attempts.Attempts:
            return msgspec.structs.replace(failed(self, new), count=1)

        patch(attempts.Attempts, "failed", uncounted)


class OutcomesIgnored(Mutant):
    """The relay marks rows as sent whatever the broker said."""

    def plant(self) -> None:
        publish = relay.Shift._publish

        async def trusting(self: relay.Shift, rows: Sequence[Pending], taken: Any) -> None:
            before = self._broker
            self._broker = Trusting(before)  # type: ignore[assignment]
            try:
                await publish(self, rows, taken)
            finally:
                self._broker = before

        patch(relay.Shift, "_publish", trusting)


class PokesOnly(Mutant):
    """The relay waits to be told, and never looks by itself."""

    def plant(self) -> None:
        async def wait(self: relay.Shift, seconds: float) -> None:
            await self._news.wait()

        patch(relay.Shift, "_wait", wait)


class ConflictIsSuccess(Mutant):
    """Whatever contradicts a commit counts as a repetition, and is acknowledged."""

    def plant(self) -> None:
        handle = work.Worker.handle

        async def careless(self: work.Worker, items: Sequence[item.Item]) -> work.Results:
            found = await handle(self, items)
            for one, error in [*found.failed]:
                if isinstance(error, (Conflict, Unavailable)):
                    found.failed.remove((one, error))
                    found.repeated.append(one)
            return found

        patch(work.Worker, "handle", careless)


class CheckpointApart(Mutant):
    """A projection looks up how far it came, and notes it, apart from its records: nothing refuses to fold twice."""

    def plant(self) -> None:
        async def twice(store: Store, folding: fold.Fold, limit: int = fold.BATCH) -> int:
            async with store.session() as session:
                before = await fold.checkpoint(session, folding)
                found = await journal.entries(session, before.position, None, folding.types, limit)
            async with store.session() as session:
                folded = await fold.apply(session, folding, folding.live, found)
            async with store.session() as session:
                after = msgspec.structs.replace(before, position=folded.position, events=before.events + folded.events)
                session.put(tables.CHECKPOINTS.table, tables.write(after if found else before))
            return folded.events

        patch(fold, "advance", twice)


class Trusting:
    """A broker that says it holds everything."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def publish(self, messages: Sequence[Message], *, after: int | None = None) -> Sequence[Outcome]:
        outcomes: Sequence[Outcome] = await self._inner.publish(messages, after=after)
        return [outcome if isinstance(outcome, Published) else Published(sequence=0) for outcome in outcomes]


MUTANTS: tuple[type[Mutant], ...] = (
    AckBeforeCommit,
    PublishBeforeCommit,
    SequenceCursor,
    NoInbox,
    InboxApart,
    NoLease,
    LostCompensation,
    WrongId,
    ReceiptApart,
    NoRegress,
    OrderIgnored,
    UnlimitedAttempts,
    OutcomesIgnored,
    PokesOnly,
    ConflictIsSuccess,
    CheckpointApart,
)


def patch(owner: Any, name: str, value: object) -> None:
    """Replace what there is; a name that there is not is a mistake of ours."""
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name} to patch")
    setattr(owner, name, value)


def patch_everywhere(old: object, new: object) -> None:
    """Replace a function in every module that imported it by name."""
    import sys  # noqa: PLC0415

    for module in [*sys.modules.values()]:
        for name, value in [*vars(module).items()]:
            if value is old and getattr(module, "__name__", "").startswith("shoal.runtime"):
                setattr(module, name, new)


def mark_of(one: item.Item) -> Mark:
    """Return what a handled message is remembered by."""
    if one.mark is None:
        raise RuntimeError("unreachable: it was handled")
    return one.mark


async def nothing(*_: object) -> frozenset[Mark]:
    """Find nothing, and do nothing."""
    return frozenset()
