"""What the runtime asks of an engine: narrow Protocols whose docstrings are the contract.

Every driver translates its client's exceptions at its border: `Unavailable` when trying again may help, `Conflict`
(or `Duplicate`) when the engine holds something that contradicts the change, `Unstorable` for a value that it can hold
nowhere, `EngineError` for the rest. No driver retries by itself. All methods may be cancelled; a cancelled commit may
or may not have happened.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

Row = Mapping[str, object]
"""One stored record by column. Columns listed in `Table.json` hold JSON text, the others plain Python values."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Where records of one type live."""

    name: str
    key: str
    """Column of the primary key."""
    columns: tuple[str, ...]
    json: frozenset[str] = frozenset()
    """Columns that hold JSON text."""
    unique: frozenset[str] = frozenset()
    """Columns besides the key that no two rows share; ``null`` is shared freely."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows, in which order."""

    where: Mapping[str, object] = {}
    """Column → value it must equal; a tuple or list means any of its items; ``None`` means null."""
    order: tuple[str, ...] = ()
    """Columns; a leading ``-`` means descending. The key is always the last tie-breaker."""
    limit: int | None = None
    offset: int = 0
    lock: bool = False
    """Hold the rows against other transactions until this one ends; taken in key order to avoid deadlock."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message as a broker carries it."""

    id: str
    """Unique; a broker may use it to drop what it already stored."""
    subject: str
    body: bytes
    headers: Mapping[str, str] = {}


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row that is not yet acknowledged by the broker."""

    position: int
    message: Message


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The recorded answer to an idempotent command."""

    key: str
    """Scope and ``Idempotency-Key`` of the caller."""
    fingerprint: str
    """Digest of the request; another request under the same key is refused."""
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


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

    def accept(self, consumer: str, message_id: str) -> None:
        """Record that `consumer` handled a message; `Duplicate` when it already had."""
        ...

    def answer(self, receipt: Receipt) -> None:
        """Record the answer to an idempotent command; `Duplicate` when its key has one."""
        ...

    async def flush(self) -> None:
        """Send the writes held back so far."""
        ...

    async def execute(self, sql: str, *args: object) -> None:
        """Run the service's own SQL; `EngineError` where the engine has none."""
        ...

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run the service's own SQL and return its rows; `EngineError` where the engine has none."""
        ...


class OutboxLease(Protocol):
    """The exclusive right to empty one outbox. Every method raises `Unavailable` once the right is lost."""

    async def pending(self, limit: int) -> Sequence[Pending]:
        """Read the oldest rows that are not yet sent, in commit-safe order, without skipping late commits."""
        ...

    async def sent(self, positions: Sequence[int]) -> None:
        """Mark rows as acknowledged by the broker."""
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

    async def migrate(self, migrations: Sequence[Migration]) -> Sequence[Migration]:
        """Create the framework's own tables, apply what is new in order, and return it.

        One process migrates at a time. `MigrationError` when an applied file was changed or is missing, or when SQL
        fails; then nothing of that file remains.
        """
        ...

    async def verify(self, tables: Sequence[Table]) -> Sequence[str]:
        """Say in sentences what of `tables` the store lacks; empty when all is there."""
        ...

    def session(self) -> AbstractAsyncContextManager[Session]:
        """Begin a transaction: commit when the block ends, roll back when it raises."""
        ...

    async def receipt(self, key: str) -> Receipt | None:
        """Read the recorded answer to an idempotent command."""
        ...

    async def handled(self, consumer: str, message_id: str) -> bool:
        """Say whether a committed transaction recorded that `consumer` handled a message."""
        ...

    def outbox(self) -> AbstractAsyncContextManager[OutboxLease]:
        """Wait for the exclusive right to empty the outbox; it passes on within seconds when a holder dies."""
        ...

    async def backlog(self) -> Backlog:
        """Measure what waits in the outbox."""
        ...


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """A durable subscription; its members compete for its messages."""

    stream: str
    name: str
    subjects: tuple[str, ...]
    ack_wait: float = 30.0
    """Seconds after which an unanswered delivery is repeated."""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A durable log of messages."""

    name: str
    subjects: tuple[str, ...]


class Delivery(Protocol):
    """One message in the hands of one member of a consumer; answered exactly once."""

    @property
    def message(self) -> Message:
        """The message."""
        ...

    @property
    def attempt(self) -> int:
        """Which delivery of this message this is, over all members, from 1."""
        ...

    async def ack(self) -> None:
        """Done: never deliver it to this consumer again. Fire and forget: it may still come again."""
        ...

    async def retry(self, delay: float) -> None:
        """Give it back, to be delivered again after `delay` seconds."""
        ...

    async def progress(self) -> None:
        """Still working: begin `Consumer.ack_wait` anew."""
        ...

    async def drop(self) -> None:
        """Never deliver it again although it was not handled."""
        ...


class Broker(Protocol):
    """One service's connection to the broker, with that service's rights. Used by many tasks at a time."""

    async def open(self) -> None:
        """Connect, and reconnect for ever when the connection is lost; `Unavailable` if there is none within 5 s."""
        ...

    async def close(self) -> None:
        """Let go of the connection within 5 s."""
        ...

    async def ping(self) -> None:
        """Answer within 1 s or raise `Unavailable`."""
        ...

    async def publish(self, messages: Sequence[Message]) -> None:
        """Store messages in order, many in flight; return when the broker holds them all.

        `Unavailable` when it may not hold some; publishing the same ids again is safe. `Undeclared` when the service
        has no right to a subject.
        """
        ...

    async def fetch(self, consumer: Consumer, limit: int, wait: float) -> Sequence[Delivery]:
        """Take up to `limit` messages, waiting up to `wait` seconds for the first; empty when none came.

        `Unavailable` when the broker is away or the consumer does not exist; `Undeclared` when the service has no
        right to it.
        """
        ...


class BrokerAdmin(Protocol):
    """The operator's hands on a broker. Services never get them."""

    async def declare(self, streams: Sequence[Stream], consumers: Sequence[Consumer]) -> None:
        """Create or adapt streams and consumers; safe to repeat."""
        ...


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One role with its own database."""

    database: str
    role: str
    password: str


class StoreAdmin(Protocol):
    """The operator's hands on a store. Services never get them."""

    async def declare(self, accounts: Sequence[Account]) -> None:
        """Create or adapt roles and databases, each closed to all other roles; safe to repeat."""
        ...
