"""A model of a service's database: the reference driver behind a connection that can fail, for several processes.

The state is that of `drivers.memory`, whose conformance is tested as every driver's. What is added: time on the way,
connections that break before or after a commit, a server that crashes and comes back without what was not committed,
and the server's view of clients that died or fell silent.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from shoal.drivers.base import (
    Announced,
    Backlog,
    Lease,
    Mark,
    Migration,
    OutboxLease,
    OwnTable,
    Reads,
    Receipt,
    Session,
    Store,
    Table,
)
from shoal.drivers.memory import MemoryStore
from shoal.errors import Unavailable
from shoal.testing.simulation.domain import Domain
from shoal.testing.simulation.faults import Chance
from shoal.testing.simulation.leases import Grip, ModelLease, ModelOutbox
from shoal.testing.simulation.session import ModelSession

T = TypeVar("T")


class Database:
    """The server's side."""

    def __init__(self, name: str, memory: MemoryStore, chance: Chance) -> None:
        self.name, self.memory, self.chance = name, memory, chance
        self.up = True
        self.context = copy_context()
        self._cut: set[str] = set()
        self._open: dict[ModelSession | Grip, Domain] = {}

    def connect(self, domain: Domain) -> "ModelStore":
        """Give a process its store."""
        return ModelStore(self, domain)

    def crash(self) -> None:
        """Forget everything that is not committed; nobody is answered until `start`."""
        self.up = False
        for held in [*self._open]:
            held.break_off()

    def start(self) -> None:
        """Answer again."""
        self.up = True

    def drop(self, domain: Domain) -> None:
        """Roll back what a process has open and pass its rights on, as a server does that finds a client gone."""
        for held in [held for held, owner in self._open.items() if owner is domain]:
            held.break_off()

    def cut(self, domain: Domain, *, off: bool) -> None:
        """Cut a process off, or let it back."""
        if off:
            self._cut.add(domain.name)
            self.drop(domain)
        else:
            self._cut.discard(domain.name)

    def require(self, domain: Domain, what: str) -> None:
        """Raise `Unavailable` when a client cannot reach the server."""
        if not self.up or domain.name in self._cut:
            raise Unavailable(f"the database of {self.name} does not answer: {what}", hint="try again")

    def enter(self, held: "ModelSession | Grip", domain: Domain) -> None:
        """Note that a client has something open."""
        self._open[held] = domain

    def leave(self, held: "ModelSession | Grip") -> None:
        """Note that it was ended."""
        self._open.pop(held, None)

    def serve(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Do something on the server, where no client's death interrupts it."""
        return asyncio.get_running_loop().create_task(work, context=self.context.copy())


class ModelStore:
    """A `base.Store` of one process."""

    def __init__(self, database: Database, domain: Domain) -> None:
        self.database, self.domain = database, domain
        self.memory: Store = database.memory.peer()

    async def travel(self, what: str) -> None:
        """Reach the server, or raise `Unavailable`."""
        await asyncio.sleep(self.database.chance.latency())
        self.database.require(self.domain, what)
        if self.database.chance.strikes("store.lost"):
            raise Unavailable(f"the connection to the database of {self.database.name} broke: {what}", hint="try again")

    async def _ask(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        await self.travel(what)
        return await work()

    async def open(self) -> None:
        """Connect."""
        await self.travel("open")

    async def close(self) -> None:
        """Let go of everything."""
        self.database.drop(self.domain)

    async def ping(self) -> None:
        """Answer."""
        await self.travel("ping")

    async def migrate(self, migrations: Sequence[Migration], own: Sequence[OwnTable] = ()) -> Sequence[Migration]:
        """Apply what is new."""
        return await self._ask("migrate", lambda: self.memory.migrate(migrations, own))

    async def verify(self, tables: Sequence[Table]) -> Sequence[str]:
        """Look for what is lacking."""
        return await self._ask("verify", lambda: self.memory.verify(tables))

    async def twin(self, table: Table) -> Table:
        """Make an empty twin."""
        return await self._ask("twin", lambda: self.memory.twin(table))

    async def untwin(self, table: Table) -> None:
        """Forget the twin."""
        await self._ask("untwin", lambda: self.memory.untwin(table))

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Begin a transaction."""
        return ModelSession(self.database, self)

    def reads(self) -> AbstractAsyncContextManager[Reads]:
        """Begin to read; there are no copies."""
        return self.session()

    async def receipt(self, key: str) -> Receipt | None:
        """Read an answer."""
        return await self._ask("receipt", lambda: self.memory.receipt(key))

    async def handled(self, marks: Sequence[Mark]) -> frozenset[Mark]:
        """Look into the inbox."""
        return await self._ask("handled", lambda: self.memory.handled(marks))

    @asynccontextmanager
    async def outbox(self) -> AsyncIterator[OutboxLease]:
        """Wait for the right to empty the outbox."""
        async with self._right(self.memory.outbox) as grip:
            yield ModelOutbox(grip, self)

    @asynccontextmanager
    async def lease(self, name: str, *, group: str = "") -> AsyncIterator[Lease]:
        """Wait for a right."""
        async with self._right(lambda: self.memory.lease(name, group=group)) as grip:
            yield ModelLease(grip)

    @asynccontextmanager
    async def _right(self, opener: Callable[[], AbstractAsyncContextManager[Any]]) -> AsyncIterator[Grip]:
        await self.travel("lease")
        grip = Grip(self.database, self.domain, opener)
        try:
            await grip.take()
            yield grip
        finally:
            grip.let_go()

    async def backlog(self) -> Backlog:
        """Measure what waits."""
        return await self._ask("backlog", self.memory.backlog)

    async def announced(self, above: int, limit: int) -> Sequence[Announced]:
        """Read the outbox."""
        return await self._ask("announced", lambda: self.memory.announced(above, limit))
