"""An answer made of others' answers: asked at once, each within a share of the time, and some may be missing."""

from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

import msgspec

from shoal.errors import CallFailed, CallRefused, CallRejected, CallTimedOut
from shoal.service.context import Deadline

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
D = TypeVar("D")

Why = Literal["timed-out", "refused", "rejected", "failed"]

SHARE = 0.8
"""Of the time that is left a part gets so much, so that there is some for the answer itself."""


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A part that an answer does without."""

    part: str
    reason: Why


class Partial(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """An answer, and what it does without."""

    data: T
    missing: tuple[Missing, ...] = ()


class Part(Generic[T]):
    """The answer to one call; read it behind the block in which it was asked for."""

    def __init__(self, name: str, task: "asyncio.Task[T]", *, required: bool) -> None:
        self.name, self.required, self._task = name, required, task

    @property
    def error(self) -> Exception | None:
        """Why there is no answer; None when there is one."""
        if self._task.cancelled():
            return TimeoutError()
        found = self._task.exception()
        return found if isinstance(found, Exception) else None

    @property
    def value(self) -> T:
        """The answer; what kept it away is raised."""
        return self._task.result()

    def otherwise(self, default: D) -> T | D:
        """Return the answer, or `default` where there is none."""
        return default if self.error is not None else self._task.result()


class Parts:
    """Asks several at once: ``async with Parts(deadline) as parts``.

    The block ends when every part has its answer or has missed its time. A required part that has none ends the
    others and is raised as it is; so is whatever is no failure of a call, wherever it comes from.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._parts: list[Part[Any]] = []

    def ask(self, name: str, call: Coroutine[Any, Any, T], *, share: float = SHARE, required: bool = False) -> Part[T]:
        """Begin a call.

        Args:
            name: What the answer calls this part.
            call: Such as ``products.show(sku)``.
            share: Of the time that is left now it gets so much; above 0, at most 1.
            required: Whether there is no answer without it.
        """
        if not 0 < share <= 1:
            call.close()
            raise ValueError(f"share={share} of the time is none; use 0 < share <= 1")
        import asyncio  # noqa: PLC0415 - whoever only declares does without

        part = Part(name, asyncio.create_task(_within(self._deadline.remaining() * share, call)), required=required)
        self._parts.append(part)
        return part

    @property
    def missing(self) -> tuple[Missing, ...]:
        """The parts that have no answer, in the order in which they were asked for."""
        return tuple(Missing(part=p.name, reason=_why(p.error)) for p in self._parts if p.error is not None)

    def of(self, data: T) -> Partial[T]:
        """Make the answer."""
        return Partial(data=data, missing=self.missing)

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for every part; leave none behind."""
        import asyncio  # noqa: PLC0415 - as above

        tasks = {part._task: part for part in self._parts}  # noqa: SLF001 - of this module
        try:
            waiting = set(tasks) if error is None else set()
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for part in (tasks[task] for task in done):
                    if part.error is not None and (part.required or not isinstance(part.error, _EXPECTED)):
                        raise part.error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


_EXPECTED = (CallFailed, TimeoutError)


async def _within(seconds: float, call: Coroutine[Any, Any, T]) -> T:
    import asyncio  # noqa: PLC0415 - as above

    async with asyncio.timeout(seconds):
        return await call


def _why(error: Exception | None) -> Why:
    if isinstance(error, (CallTimedOut, TimeoutError)):
        return "timed-out"
    if isinstance(error, CallRefused):
        return "refused"
    return "rejected" if isinstance(error, CallRejected) else "failed"
