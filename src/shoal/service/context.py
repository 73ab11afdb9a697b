"""What a handler may ask for by type, besides what its service declares itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec

from shoal.service.aggregates import Folded, Recorded
from shoal.service.sagas import Saga

T = TypeVar("T")
F = TypeVar("F")


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """The verified caller, from a token or key that gateway and service both checked."""

    subject: str
    """``ISSUER:SUBJECT`` for those of issuers outside, ``consumer:NAME`` for consumers."""
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = {}
    """All claims of the token."""
    issuer: str = ""
    """Name of the issuer outside the system, or ``consumer``; empty for the system's own."""


class Deadline(Protocol):
    """When the work at hand is no longer wanted."""

    def remaining(self) -> float:
        """Seconds left; never negative."""
        ...


class Clock(Protocol):
    """The time, which tests can move."""

    def now(self) -> datetime:
        """Return the present, in UTC."""
        ...


class TokenIssuer(Protocol):
    """Signs the system's tokens; only the service that the system names as its issuer gets one."""

    def issue(
        self,
        subject: str,
        *,
        roles: Sequence[str] = (),
        lifetime: float = 3600.0,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """Sign a token for `subject`, valid for `lifetime` seconds; scopes go into `claims` as ``scope``."""
        ...


class ReadReplica(Protocol):
    """The records of the service as they were a moment ago, from a read replica where production has any.

    What the caller has just written may not be there yet: for lists, reports and pages, and never to decide what to
    write. A replica that is too far behind, or gone, is passed over for the database itself, as it is on a laptop.
    """

    async def get(self, kind: type[T], key: object) -> T | None:
        """Read one record."""
        ...

    async def require(self, kind: type[T], key: object) -> T:
        """Read one record, or answer the caller 404."""
        ...

    async def find(
        self,
        kind: type[T],
        where: Mapping[str, object] | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> list[T]:
        """Read the records whose fields equal `where`; a tuple means any of its items, ``-field`` descends."""
        ...

    async def count(self, kind: type[Any], where: Mapping[str, object] | None = None) -> int:
        """Count the records whose fields equal `where`."""
        ...

    async def fetch(self, kind: type[T], sql: str, *args: object) -> list[T]:
        """Run the service's own SQL, which may change nothing, and read its rows as `kind`."""
        ...


class Transaction(Protocol):
    """One unit of work on the service's own store: it commits when the handler returns, or nothing of it happens.

    Writes and events are held back until the handler returns, the next read, or `flush`; a conflict they meet surfaces
    there. Events go into the outbox and are announced after the commit.
    """

    async def get(self, kind: type[T], key: object, *, lock: bool = False) -> T | None:
        """Read one record; `lock` holds it against other transactions until this one ends."""
        ...

    async def require(self, kind: type[T], key: object, *, lock: bool = False) -> T:
        """Read one record, or answer the caller 404."""
        ...

    async def find(
        self,
        kind: type[T],
        where: Mapping[str, object] | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
        lock: bool = False,
    ) -> list[T]:
        """Read the records whose fields equal `where`; a tuple means any of its items, ``-field`` descends."""
        ...

    async def count(self, kind: type[Any], where: Mapping[str, object] | None = None) -> int:
        """Count the records whose fields equal `where`."""
        ...

    def put(self, record: object) -> None:
        """Write a record, replacing the one with its key."""
        ...

    def insert(self, record: object) -> None:
        """Write a new record; the commit raises `Conflict` when its key is taken."""
        ...

    def delete(self, kind: type[Any], key: object) -> None:
        """Remove a record."""
        ...

    def publish(self, event: object) -> None:
        """Announce an event once the transaction has committed; `Undeclared` when the service does not publish it."""
        ...

    async def load(self, kind: type[T], id: str, *, lock: bool = False) -> T | None:
        """Read one aggregate; None when nothing ever happened to it.

        `lock` holds it against other transactions until this one ends. Without, whoever appends first is right, and
        the commit of the other one raises `Conflict`.
        """
        ...

    async def load_all(self, kind: type[T], ids: Sequence[str], *, lock: bool = False) -> dict[str, T]:
        """Read the aggregates that exist among `ids`; locks are taken in the order of the ids, so that none block."""
        ...

    def append(self, aggregate: Folded[F, T], fact: F) -> T:
        """Record what happened to an aggregate and return it as it is from now on.

        It must be as this transaction loaded it, or left it; or, to begin a new one, be as it is before its first
        fact. `Conflict`, here or at the commit, when somebody else appended meanwhile.
        """
        ...

    async def facts(
        self,
        kind: type[Folded[F, Any]],
        id: str,
        *,
        above: int = 0,
        limit: int = 100,
    ) -> list[Recorded[F]]:
        """Read what happened to an aggregate, oldest first, from the first fact whose version exceeds `above`."""
        ...

    async def start(self, saga: type[Saga[T]], state: T, *, key: str = "") -> bool:
        """Begin a saga once the transaction has committed, with what it knows at first.

        Return False, and do nothing, when one was already begun under `key` within this service; without a key each
        one is new. Of two that begin at the same time, the later commit raises `Conflict`.
        """
        ...

    async def forget(self, person: str) -> None:
        """Erase a person from this service with the commit: their keys, and what records hold of them sealed.

        Every copy of it is unreadable from then on, and reads as declared. Whatever else is known of the person is the
        handler's to remove. That it was done is noted, for ``shoal privacy erasures``; doing it again is harmless.
        """
        ...

    async def flush(self) -> None:
        """Send the writes held back so far, so that their conflicts surface here."""
        ...

    async def execute(self, sql: str, *args: object) -> None:
        """Run the service's own SQL; in handlers of events that reach nothing but the store, held back like writes."""
        ...

    async def fetch(self, kind: type[T], sql: str, *args: object) -> list[T]:
        """Run the service's own SQL and read its rows as `kind`."""
        ...
