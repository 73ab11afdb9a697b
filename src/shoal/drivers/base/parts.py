"""A session that holds its writes back, and parts of it that can fail alone."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Generic, NoReturn, TypeVar

from shoal.drivers.base.rows import Row
from shoal.errors import EngineError

Held = TypeVar("Held")
"""A write held back."""

State = TypeVar("State")
"""What was done by some time."""


@dataclass(slots=True)
class Part(Generic[Held, State]):
    """A part of the transaction that can fail alone."""

    held: list[Held]
    """Writes from before it."""
    failed: bool
    saved: State | None = None
    """What was done where it began; None before it did anything."""


class SessionInParts(ABC, Generic[Held, State]):
    """The half of a `base.Session` that knows no SQL and makes its writes when somebody reads, flushes or commits."""

    WITHOUT_SQL: ClassVar[str]
    """What the store is, where somebody asks for SQL."""

    INSTEAD: ClassVar[str]
    """What to do then."""

    def __init__(self) -> None:
        self._waiting: list[Held] = []
        self._parts: list[Part[Held, State]] = []
        self._failed = False

    @abstractmethod
    async def _make(self, held: Sequence[Held]) -> None:
        """Make writes."""

    @abstractmethod
    def _save(self) -> State:
        """Keep what was done as it is now."""

    @abstractmethod
    async def _return_to(self, saved: State) -> None:
        """Undo what was done since."""

    async def flush(self) -> None:
        """Make the writes held back so far, and wait for who holds their rows."""
        for part in self._parts:
            if part.saved is None:
                held, part.held = part.held, []
                await self._make_or_fail(held)
                part.saved = self._save()
        waiting, self._waiting = self._waiting, []
        await self._make_or_fail(waiting)

    async def _make_or_fail(self, held: Sequence[Held]) -> None:
        try:
            await self._make(held)
        except BaseException:
            self._failed = True
            raise

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Note where the part begins; what was done by then is kept once the part does something."""
        part = Part[Held, State](self._waiting, self._failed)
        self._parts.append(part)
        self._waiting = []
        try:
            yield
            self._require_good()
        except BaseException:
            await self._undo(part)
            raise
        self._parts.pop()
        self._waiting = part.held + self._waiting

    async def _undo(self, part: Part[Held, State]) -> None:
        del self._parts[self._parts.index(part) :]
        self._waiting = part.held
        if part.saved is not None:
            self._failed = part.failed
            await self._return_to(part.saved)

    async def execute(self, sql: str, *args: object) -> None:
        """Refuse SQL."""
        await self.flush()
        self._refuse(sql, args)

    async def execute_later(self, sql: str, *args: object) -> None:
        """Refuse SQL."""
        await self.execute(sql, *args)

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Refuse SQL."""
        await self.flush()
        self._refuse(sql, args)

    def _refuse(self, sql: str, args: Sequence[object]) -> NoReturn:
        self._failed = True
        raise EngineError(
            f"this store {self.WITHOUT_SQL} and knows no SQL: {sql.strip()[:80]} ({len(args)} values)",
            hint=self.INSTEAD,
        )

    def _require_good(self) -> None:
        if self._failed:
            raise EngineError(
                "the transaction was rolled back, because a statement of it had failed",
                hint="let the exception of a failed statement leave the session's block",
            )
