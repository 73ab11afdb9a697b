"""The little that an engine of documents must do; the guarantees of a store are built on it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from shoal.drivers.base import Query, Row, Table

Held = Literal["key", "version", "unique"]
"""What contradicts a write: its key is taken, its document has changed, or one of its unique values is taken."""


How = Literal["put", "insert", "change"]
"""``insert`` demands that there is no document yet, ``change`` leaves the columns that are not given as they are."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One document as the engine holds it."""

    key: object
    version: str
    """Another one after each write."""
    row: Row


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one document."""

    table: Table
    key: object
    row: Row | None
    """All of its columns, or those that change; None removes the document."""
    how: How = "put"
    version: str = ""
    """The version that the document must have; empty when any will do."""


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """Writes that need numbers in the order of commits: drawn anew in each try, once the writes before them stand."""

    counter: str
    count: int
    make: Callable[[int], Sequence[Write]]
    """From the first number to the writes."""


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Locks that must be their owner's when a commit happens."""

    owner: str
    freed: tuple[str, ...] = ()
    """Those that end with it."""
    kept: str = ""
    """One that stays."""


class Refused(Exception):
    """Say why nothing of a commit was done."""

    def __init__(self, table: str, held: Held, column: str = "") -> None:
        super().__init__(f"{table}: {held} {column}".rstrip())
        self.table, self.held, self.column = table, held, column


class Engine(Protocol):
    """One database of documents. Its errors are those of `drivers.base`; it repeats what merely collided."""

    @property
    def step(self) -> int:
        """Documents that the framework itself changes with one commit, where it has many to change."""
        ...

    async def open(self) -> None:
        """Connect; `Unavailable` when the engine does not answer within 5 s."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...

    def raw(self, table: Table) -> Any:
        """Return what the engine's client calls the place of a table, for what only this engine can do."""
        ...

    async def ping(self) -> None:
        """Answer within 1 s or raise `Unavailable`."""
        ...

    async def declare(self, table: Table, indexes: Sequence[Sequence[str]] = ()) -> None:
        """Make the table's place, its unique indexes and others; safe to repeat."""
        ...

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read the documents that there are of `keys`, as last committed."""
        ...

    async def search(self, table: Table, query: Query) -> Sequence[Document]:
        """Read the documents that a query means, as one moment had them; its lock is not the engine's."""
        ...

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count the documents that match."""
        ...

    async def commit(self, writes: Sequence[Write], hold: Hold | None = None, last: Numbered | None = None) -> None:
        """Do everything or nothing, on disk, if every lock of `hold` is its owner's.

        Raises:
            Refused: A document contradicts a write.
            Contended: A lock was lost, or others changed the same documents for too long; nothing was done.
            Unavailable: The engine did not answer; it is not known whether anything was done.
        """
        ...

    async def remove(self, table: Table, query: Query) -> int:
        """Remove the documents that a query means, some at a time; return how many."""
        ...

    async def drop(self, table: Table) -> None:
        """Remove the place of a table with all that it holds."""
        ...

    async def number(self, counter: str, count: int) -> int:
        """Draw `count` numbers in a row, each once for ever; return the first."""
        ...

    async def take(self, name: str, owner: str, seconds: float) -> str:
        """Take a lock if it is free, has run out by the engine's clock or is our own; return who holds it now."""
        ...

    async def renew(self, owners: Sequence[str], seconds: float) -> Sequence[str]:
        """Keep the locks of owners for longer; return the names of those that are still theirs."""
        ...

    async def forget(self, seconds: float) -> None:
        """Remove locks that ran out so long ago."""
        ...

    async def release(self, owner: str, names: Sequence[str] | None = None) -> None:
        """Free the locks of an owner, or some of them."""
        ...

    async def holders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Say who holds which of the locks that are held."""
        ...

    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """Say who holds the locks whose names begin like this."""
        ...
