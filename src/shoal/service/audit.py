"""What a system promises of itself, checked afterwards on what its services and the world outside hold.

An audit is a function that reads and counts. It is declared with the system and run by ``shoal audit`` and in tests,
beside the audits that hold for every system.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

T = TypeVar("T")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found."""

    counts: Mapping[str, int] = {}
    """What was counted, by name: ``{"orders": 500, "captures": 480}``."""
    violations: tuple[str, ...] = ()
    """One text for each violation; begin it with the id that it is about."""
    unchecked: str = ""
    """Why nothing could be said; empty when everything was."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One command with an ``Idempotency-Key``, as its client saw it end."""

    service: str
    endpoint: str
    """Name of its handler."""
    key: str
    """The ``Idempotency-Key``."""
    caller: str = ""
    """Subject of the client's token."""
    status: int = 0
    """Of the answer; 0 when none came, so that it happened or not."""
    body: Any = None
    """The answer, read as JSON."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a service recorded as its answer to an operation, in the commit of its effect."""

    status: int
    body: Any = None


class Evidence(Protocol):
    """What an audit may read. Nothing is written."""

    @property
    def operations(self) -> Sequence[Operation]:
        """What clients say they did; empty when nobody kept a record."""
        ...

    async def records(self, service: str, kind: type[T]) -> Sequence[T]:
        """Read all records of a type from the store of a service, by key; an aggregate is folded from its facts."""
        ...

    async def ask(self, external: str, path: str) -> Any:
        """Read JSON from the stand-in of an external; `Unavailable` when there is none here."""
        ...

    async def answered(self, operation: Operation) -> Answer | None:
        """Look up what the service recorded about an operation; None when it did not happen."""
        ...


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """One promise of a system, and how to check it."""

    code: str
    """Short name of the promise: ``I3``."""
    title: str
    """The promise in one sentence."""
    check: Callable[[Evidence], Awaitable[Verdict]]
    """Raises `Unavailable` when it cannot be checked."""
