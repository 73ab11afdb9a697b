"""A store in memory; every sentence of `base.Store` holds, but for what ends with the process."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from shoal.drivers.base import (
    Account,
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
    Table,
)
from shoal.drivers.base.history import Applied, outstanding
from shoal.drivers.memory import shadow
from shoal.drivers.memory.outbox import MemoryOutbox, announced
from shoal.drivers.memory.session import MemorySession
from shoal.drivers.memory.state import Clock, State


class MemoryStore:
    """A `base.Store`; one object is one process.

    Args:
        clock: Measures the age of what waits in the outbox, in seconds since 1970.
        state: What another one holds, to share it; see `peer`.
    """

    def __init__(self, clock: Clock = time.time, state: State | None = None) -> None:
        self._state = state or State(clock)

    def peer(self) -> "MemoryStore":
        """Return the same store as another process sees it."""
        return MemoryStore(state=self._state)

    def vanish(self) -> None:
        """Pass on the rights of this process, as if it had died."""
        self._state.rights.vanish(self)

    async def open(self) -> None:
        """Do nothing: it is always open."""

    async def close(self) -> None:
        """Do nothing: others may share it."""

    async def ping(self) -> None:
        """Do nothing: it is always there."""

    async def migrate(
        self,
        migrations: Sequence[Migration],
        own: Sequence[OwnTable] = (),  # noqa: ARG002 - the contract's parameter
    ) -> Sequence[Migration]:
        """Note the migrations as applied; tables need no creation here."""
        applied = self._state.migrations
        known = {number: Applied(before.name, before.checksum) for number, before in applied.items()}
        fresh = outstanding(known, migrations)
        applied.update({migration.number: migration for migration in fresh})
        return fresh

    async def verify(self, tables: Sequence[Table]) -> Sequence[str]:  # noqa: ARG002 - the contract's parameter
        """Find nothing missing: every table is there once it is used."""
        return ()

    async def twin(self, table: Table) -> Table:
        """Make an empty twin."""
        return shadow.make(self._state, table)

    async def untwin(self, table: Table) -> None:
        """Forget the twin."""
        shadow.remove(self._state, table)

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Begin a transaction."""
        return MemorySession(self._state)

    def reads(self) -> AbstractAsyncContextManager[Reads]:
        """Begin to read; there are no copies."""
        return self.session()

    async def receipt(self, key: str) -> Receipt | None:
        """Read the answer recorded under a key."""
        return self._state.receipts.get(key)

    async def handled(self, marks: Sequence[Mark]) -> frozenset[Mark]:
        """Look into the inbox."""
        return frozenset(marks) & self._state.inbox

    @asynccontextmanager
    async def outbox(self) -> AsyncIterator[OutboxLease]:
        """Wait in line for the right."""
        async with self._state.rights.hold(self, "outbox", "") as lease:
            try:
                yield MemoryOutbox(self._state, lease)
            finally:
                lease.lost.set()

    def lease(self, name: str, *, group: str = "") -> AbstractAsyncContextManager[Lease]:
        """Wait in line for a right."""
        return self._state.rights.hold(self, f"lease {name}", group)

    async def backlog(self) -> Backlog:
        """Count the waiting rows."""
        outbox = self._state.outbox
        waiting = [outbox[position].created_at for position in self._state.waiting()]
        age = self._state.clock() - min(waiting) if waiting else 0.0
        refused = sum(bool(entry.refused) for entry in outbox.values())
        return Backlog(count=len(waiting), age=max(0.0, age), refused=refused)

    async def announced(self, above: int, limit: int) -> Sequence[Announced]:
        """Read the outbox by position."""
        found = sorted(position for position in self._state.outbox if position > above)[:limit]
        return [announced(position, self._state.outbox[position]) for position in found]


class MemoryAdmin:
    """A `base.StoreAdmin`."""

    async def declare(self, accounts: Sequence[Account]) -> None:
        """Do nothing: stores are apart by name."""
