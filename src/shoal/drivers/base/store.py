"""A service's own store: transactions, outbox, inbox, receipts and leases."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from shoal.drivers.base.messages import Announced, Mark, Message, Pending, Sent
from shoal.drivers.base.rows import OwnTable, Query, Row, Table
from shoal.errors import EngineError


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The recorded answer to an idempotent command."""

    key: str
    """Scope and ``Idempotency-Key`` of the caller."""
    fingerprint: str
    """Digest of the request; another request under the same key is refused."""
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    lasting: bool = False
    """Whether it is kept for ever; others are let go of some days later."""


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered SQL file."""

    number: int
    name: str
    sql: str
    checksum: str
    """SHA-256 of the file, hexadecimal."""


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in an outbox."""

    count: int
    age: float
    """Seconds since the oldest waiting row was committed; 0 when none waits."""
    refused: int = 0
    """Rows that the broker refused and that somebody must look at; no row of their keys is counted as waiting."""


class Reads(Protocol):
    """Reads outside of every transaction, that may be a little behind; for one task at a time.

    Each sees what was committed at some time, and a later one nothing older. After a raised error it can only be left.
    """

    async def get(self, table: Table, key: object) -> Row | None:
        """Read one row."""
        ...

    async def find(self, table: Table, query: Query) -> Sequence[Row]:
        """Read the rows that match; the query locks nothing."""
        ...

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count the rows that match."""
        ...

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run the service's own SQL, which changes nothing; `EngineError` where the engine has none, or it does."""
        ...


class Session(Protocol):
    """One transaction of a `Store`; for one task at a time.

    Reads see the session's own earlier writes. Writes may be held back until `flush`, the next read or the commit, so
    their conflicts surface there. After a raised error the session can only be left.
    """

    async def get(self, table: Table, key: object, *, lock: bool = False) -> Row | None:
        """Read one row; `lock` holds it against other transactions until this one ends."""
        ...

    async def find(self, table: Table, query: Query) -> Sequence[Row]:
        """Read the rows that match."""
        ...

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count the rows that match."""
        ...

    def put(self, table: Table, row: Row) -> None:
        """Write a row, replacing the one with its key."""
        ...

    def insert(self, table: Table, row: Row) -> None:
        """Write a new row; `Conflict` when its key, or another unique column, is taken."""
        ...

    def delete(self, table: Table, key: object) -> None:
        """Remove a row; nothing happens when there is none."""
        ...

    def publish(self, message: Message) -> None:
        """Add a message to the outbox."""
        ...

    def accept(self, mark: Mark) -> None:
        """Record that a consumer handled a message; `Duplicate` when it already had."""
        ...

    async def claim(self, key: str) -> Receipt | None:
        """Wait for other transactions that claim `key`, keep it until this one ends, and return its recorded answer.

        For commands whose effects lie outside the store as well: `answer` alone tells a repetition too late for them.
        """
        ...

    def answer(self, receipt: Receipt) -> None:
        """Record the answer to an idempotent command; `Duplicate` when its key has one."""
        ...

    async def flush(self) -> None:
        """Send the writes held back so far."""
        ...

    async def replace(self, table: Table, twin: Table) -> None:
        """Let what `Store.twin` made take the place of a table with the commit: readers see the one or the other.

        It is the last that the transaction does with either. `Unavailable` when others use the table for too long.
        """
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Begin a part of the transaction that can fail alone: what it did is undone when the block raises.

        A block that only held writes back costs no statement. They stay held back when it ends, and their conflicts
        surface later. After an error that ended the connection the whole session can only be left.
        """
        ...

    async def execute(self, sql: str, *args: object) -> None:
        """Run the service's own SQL; `EngineError` where the engine has none."""
        ...

    async def execute_later(self, sql: str, *args: object) -> None:
        """Run the service's own SQL at the next read, at `flush` or at the commit, in order with all other writes.

        Its errors surface there. For who waits for nothing but this store: until then it holds no locks.
        """
        ...

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run the service's own SQL and return its rows; `EngineError` where the engine has none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lent:
    """What a client library of somebody else may use for a while."""

    connection: Any
    """The client's own, inside the transaction."""
    explain: Callable[[Exception], EngineError]
    """Says what an error of that client means."""


class Lease(Protocol):
    """An exclusive right, held until its block ends or it is lost."""

    @property
    def lost(self) -> asyncio.Event:
        """Set once the right may be another's; its holder stops then. What it still commits must be harmless."""
        ...

    @property
    def wanted(self) -> asyncio.Event:
        """Set when another member of the group should have it: its holder finishes what it has in hand and leaves."""
        ...


class OutboxLease(Protocol):
    """The exclusive right to empty one outbox. Every method raises `Unavailable` once the right is lost."""

    async def pending(self, limit: int, besides: Sequence[int] = ()) -> Sequence[Pending]:
        """Read the oldest rows that are neither sent nor refused, without skipping late commits.

        Rows behind a refused one of their key are left out: they wait for it. So are those at the positions `besides`,
        which are under way.
        """
        ...

    async def sent(self, rows: Sequence[Sent]) -> None:
        """Mark rows as acknowledged by the broker, with their places in its stream."""
        ...

    async def refuse(self, position: int, reason: str) -> None:
        """Set a row aside that the broker will not take as it is; the rows behind it go on."""
        ...

    async def reprieve(self) -> int:
        """Let all refused rows be tried again; return how many."""
        ...

    async def meet(self, made: str) -> int:
        """Note that the stream is the one made at `made`; return how many rows another one had acknowledged.

        They count as not sent from now on, since that stream, or that state of it, is gone.
        """
        ...

    async def highest(self) -> int:
        """Return the highest place in the stream that was ever acknowledged; 0 when none was."""
        ...

    async def forget(self, above: int) -> int:
        """Count as not sent what was acknowledged at a higher place, for the broker has lost it; return how many.

        Rows older than the replay window are gone and cannot be sent again.
        """
        ...

    async def rivals(self) -> bool:
        """Say whether other processes wait for this right: they write to the outbox as well."""
        ...

    async def tidy(self, window: timedelta) -> None:
        """Make room for what comes, and let go of what was sent, or handled, longer than `window` ago.

        In whole parts or a few rows at a time, so that nobody waits for it long; what is not yet sent always stays,
        and what is done may stay for another window. The inbox forgets what was *made* so long ago, and receipts what
        was answered so long ago, but for lasting ones. The other methods may be called meanwhile.
        """
        ...


class Store(Protocol):
    """A service's own store. Opened once, used by many tasks at a time."""

    async def open(self) -> None:
        """Connect; `Unavailable` when the engine does not answer within 5 s."""
        ...

    async def close(self) -> None:
        """Let go of every connection, within 5 s, whatever state they are in."""
        ...

    async def ping(self) -> None:
        """Answer within 1 s or raise `Unavailable`."""
        ...

    async def migrate(self, migrations: Sequence[Migration], own: Sequence[OwnTable] = ()) -> Sequence[Migration]:
        """Create the framework's own tables, `own` among them; apply what is new in order, and return it.

        One process migrates at a time. `MigrationError` when an applied file was changed or is missing, or when SQL
        fails; then nothing of that file remains.
        """
        ...

    async def verify(self, tables: Sequence[Table]) -> Sequence[str]:
        """Say in sentences what of `tables` the store lacks; empty when all is there."""
        ...

    async def twin(self, table: Table) -> Table:
        """Make an empty table with the columns, constraints and indexes of another, in place of an earlier twin of it.

        `EngineError` for a table that does not move, or with something that no twin can have, such as a trigger.
        """
        ...

    async def untwin(self, table: Table) -> None:
        """Remove the twin of a table, if there is one."""
        ...

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Begin a transaction: commit when the block ends, roll back when it raises."""
        ...

    def reads(self) -> AbstractAsyncContextManager[Reads]:
        """Begin to read, where the engine has copies that lag behind from one of them."""
        ...

    async def receipt(self, key: str) -> Receipt | None:
        """Read the recorded answer to an idempotent command."""
        ...

    async def handled(self, marks: Sequence[Mark]) -> frozenset[Mark]:
        """Return those of `marks` that a committed transaction recorded."""
        ...

    def outbox(self) -> AbstractAsyncContextManager[OutboxLease]:
        """Wait for the exclusive right to empty the outbox; it passes on within seconds when a holder dies."""
        ...

    def lease(self, name: str, *, group: str = "") -> AbstractAsyncContextManager[Lease]:
        """Wait for an exclusive right; it passes on within seconds when its holder dies.

        The rights of one group are shared evenly among the processes that ask for any of it.
        """
        ...

    async def backlog(self) -> Backlog:
        """Measure what waits in the outbox."""
        ...

    async def announced(self, above: int, limit: int) -> Sequence[Announced]:
        """Read the outbox by position, sent or not, from the first row above `above`."""
        ...
