"""Who is told what engines are asked: a narrow door for telemetry, of which drivers know nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import time_ns
from types import TracebackType
from typing import Protocol


class Observer(Protocol):
    """Hears of what was asked of an engine, once it has answered. Must be quick, and raise nothing."""

    def asked(
        self,
        system: str,
        text: str,
        began: int,
        *,
        namespace: str = "",
        count: int = 1,
        error: BaseException | None = None,
    ) -> None:
        """Hear of one statement or command.

        Args:
            system: The engine, as OpenTelemetry's ``db.system.name`` spells it.
            text: The statement without the values of its parameters.
            began: When it was sent, in nanoseconds since 1970; it ends now.
            namespace: Database that it was for.
            count: Rows of parameters that travelled with it.
            error: What became of it, if it failed.
        """
        ...

    def commanded(
        self, system: str, command: str, began: int, *, target: str = "", error: BaseException | None = None
    ) -> None:
        """Hear of one command to an engine that speaks no SQL; `target` is the table, index or bucket it was for."""
        ...


observing: ContextVar[Observer | None] = ContextVar("shoal_observing", default=None)
"""Who observes the work at hand; None where nobody does."""


@contextmanager
def unheard() -> Iterator[None]:
    """Tell nobody of what is asked within: the requests that one statement takes, which is told as a whole."""
    token = observing.set(None)
    try:
        yield
    finally:
        observing.reset(token)


class Stating:
    """A block that asks an engine one statement, which is over when the block is.

    Args:
        system: The engine, as OpenTelemetry's ``db.system.name`` spells it.
        text: The statement without the values of its parameters.
        namespace: Database that it is for.
    """

    __slots__ = ("_began", "_namespace", "_system", "_text")

    def __init__(self, system: str, text: str, namespace: str = "") -> None:
        self._system, self._text, self._namespace = system, text, namespace
        self._began = 0

    def __enter__(self) -> None:
        if observing.get() is not None:
            self._began = time_ns()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        observer = observing.get()
        if self._began and observer is not None:
            observer.asked(self._system, self._text, self._began, namespace=self._namespace, error=error)


class Asking:
    """A block that asks an engine for one command, which is over when the block is.

    Args:
        system: The engine, as OpenTelemetry's ``db.system.name`` spells it.
        command: Its name, never with what it is about.
        target: Table, index or bucket.
    """

    __slots__ = ("_began", "_command", "_system", "_target")

    def __init__(self, system: str, command: str, target: str = "") -> None:
        self._system, self._command, self._target = system, command, target
        self._began = 0

    def __enter__(self) -> None:
        if observing.get() is not None:
            self._began = time_ns()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        observer = observing.get()
        if self._began and observer is not None:
            observer.commanded(self._system, self._command, self._began, target=self._target, error=error)
