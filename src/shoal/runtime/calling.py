"""A call to another service as spans: one for the call, and one for each attempt where there is more than one."""

from collections.abc import Awaitable, Callable
from time import time_ns
from types import TracebackType
from typing import Protocol, Self, TypeVar

from shoal.errors import CallFailed
from shoal.runtime.recording import Block, leaf, within
from shoal.service.marks import Operation
from shoal.telemetry import conventions as names
from shoal.telemetry.spans import CLIENT, INTERNAL, Span, fixed


class Answered(Protocol):
    """What came back."""

    @property
    def status(self) -> int:
        """Its HTTP status."""
        ...


T = TypeVar("T", bound=Answered)


class Told:
    """What the spans of all calls of one operation have in common."""

    def __init__(self, operation: Operation) -> None:
        self.name = f"{operation.method} {operation.path}"
        self.fixed = fixed(
            {
                names.HTTP_METHOD: operation.method,
                names.URL_TEMPLATE: operation.path,
                names.SERVER_ADDRESS: operation.service,
                names.PEER_SERVICE: operation.service,
                names.OPERATION: f"{operation.service}.{operation.name}",
            }
        )


class Calling:
    """One call, as a context manager.

    The first attempt is the call itself to the callee. When it is repeated, every attempt becomes a span beneath, and
    the call notes how long it waited between them.
    """

    __slots__ = ("_began", "_block", "_failed", "_first", "_number", "_path", "_span")

    def __init__(self, told: Told, path: str) -> None:
        self._block: Block = within(told.name, CLIENT, told.fixed)
        self._path = path
        self._span: Span | None = None
        self._number, self._began, self._failed = 0, 0, 0
        self._first: CallFailed | None = None

    def __enter__(self) -> Self:
        self._span = self._block.__enter__()
        if self._span is not None:
            self._span.set(names.URL_PATH, self._path.partition("?")[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._span is not None and isinstance(error, CallFailed) and error.status:
            self._span.set(names.HTTP_STATUS, error.status)
        self._block.__exit__(kind, error, trace)

    def attempts(self, once: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        """Return what makes one attempt, and records it."""
        return once if self._span is None else lambda: self._attempt(once)

    async def _attempt(self, once: Callable[[], Awaitable[T]]) -> T:
        self._number += 1
        if self._number > 1:
            return await self._again(once)
        self._began = time_ns()
        try:
            return self._answered(await once())
        except CallFailed as error:
            self._failed, self._first = time_ns(), error
            raise

    async def _again(self, once: Callable[[], Awaitable[T]]) -> T:
        if self._first is not None:
            first, self._first = self._first, None
            resends: dict[str, object] = {names.HTTP_RESEND: 0}
            leaf("attempt", INTERNAL, self._began, attributes=resends, error=first, ended=self._failed)
        if self._span is not None:
            self._span.note("wait", {names.WAIT: round((time_ns() - self._failed) / 1e6, 3)}, self._failed)
        try:
            with within("attempt", INTERNAL, attributes={names.HTTP_RESEND: self._number - 1}):
                return self._answered(await once())
        finally:
            self._failed = time_ns()

    def _answered(self, answer: T) -> T:
        if self._span is not None:
            self._span.set(names.HTTP_STATUS, answer.status)
        return answer
