"""A simulated process as the event loop sees it: all that runs in one context lives, freezes and dies together."""

import asyncio
from asyncio import Handle
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

T = TypeVar("T")

DOMAIN: ContextVar["Domain | None"] = ContextVar("shoal_domain", default=None)
"""The process that the present callback belongs to; None for the world around."""


class Domain:
    """What runs together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps = 0
        self.alive = True
        self.frozen = False
        self.context: Context = copy_context()
        self.context.run(DOMAIN.set, self)
        self._held: list[Handle] = []
        self._doomed_at = 0
        self._doom: Callable[[], None] | None = None

    def admits(self, handle: Handle) -> bool:
        """Decide whether a callback of this process may run now; one of a frozen process waits."""
        if not self.alive:
            return False
        if self.frozen:
            self._held.append(handle)
            return False
        self.steps += 1
        if self._doom is not None and self.steps >= self._doomed_at:
            doom, self._doom = self._doom, None
            doom()
            return self.admits(handle)
        return True

    def after(self, steps: int, doom: Callable[[], None]) -> None:
        """Call `doom` when the process has made so many more steps, between two of them: at any of its awaits."""
        self._doomed_at, self._doom = self.steps + steps, doom

    def spare(self) -> None:
        """Let no doom come any more."""
        self._doom = None

    def die(self) -> None:
        """Never run again: no `finally`, no `except`, as after SIGKILL."""
        self.alive = False
        self._held.clear()

    def freeze(self) -> None:
        """Stand still, as after SIGSTOP or in a long pause of the machine."""
        self.frozen = True

    def thaw(self) -> list[Handle]:
        """Go on; return what became due meanwhile."""
        held, self._held, self.frozen = self._held, [], False
        return held

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function as this process."""
        return self.context.copy().run(function, *args)

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Begin a task of this process."""
        return asyncio.get_running_loop().create_task(work, context=self.context.copy())
