"""An event loop in virtual time, whose every choice comes from a seed.

The clock stands still while anything can run and jumps to the next timer when nothing can. Which of the callbacks that
are ready runs next is drawn, so that tasks interleave differently under each seed and exactly alike under the same one.
There is no selector, no executor and no signal: whatever would reach the real world raises.
"""

import asyncio
import heapq
import sys
from asyncio import events
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextvars import Context
from itertools import count
from random import Random
from typing import Any, NoReturn, TypeVar

from shoal.errors import ShoalError
from shoal.testing.simulation.domain import DOMAIN

T = TypeVar("T")

SPINNING = 100_000
"""Callbacks at one instant after which the program is held to spin."""

UNWINDING = 5
"""Rounds of ending tasks; what unwinds may begin new ones."""


class Deadlock(ShoalError):
    """Nothing can run, no timer is set, and the simulation is not over."""


class Runaway(ShoalError):
    """The simulation goes on and on."""


class _Task(asyncio.Task[Any]):
    """A task whose place in a set does not depend on its address."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], loop: "VirtualLoop", context: Context | None) -> None:
        self.serial = loop.serial()
        super().__init__(coroutine, loop=loop, name=f"task {self.serial}", context=context)

    def __hash__(self) -> int:
        return self.serial


class _Future(asyncio.Future[Any]):
    """A future whose place in a set does not depend on its address."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self.serial = loop.serial()
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self.serial


class VirtualLoop(asyncio.AbstractEventLoop):
    """An event loop for one simulation.

    Args:
        random: Draws the order in which ready callbacks run.
        most: Callbacks after which the simulation is held to run away.
    """

    def __init__(self, random: Random, *, most: int = 1_000_000) -> None:
        self._random, self._most = random, most
        self._now = 0.0
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._serials = count(1)
        self._stopping = self._running = self._closed = False
        self._handler: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None = None
        self.steps = 0
        self.fingerprint = 0
        """Digest of every choice so far; equal for equal runs."""

    def serial(self) -> int:
        """Give a number to what is made, in the order of making."""
        return next(self._serials)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:  # type: ignore[override]
        """Run a callback at the present instant, in any order."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def give_back(self, handle: asyncio.Handle) -> None:
        """Make a callback ready that a frozen process held back."""
        self._ready.append(handle)

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there are no other threads

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback after so many virtual seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback at a virtual time."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, self.serial(), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Do nothing: a cancelled timer is passed over when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future."""
        return _Future(self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        """Make a task."""
        task = _Task(coro, self, context)
        if name is not None:
            task.set_name(name)
        return task

    def run_until_complete(self, future: Any) -> Any:
        """Run until `future` is done; `Deadlock` or `Runaway` when it cannot be."""
        main = asyncio.ensure_future(future, loop=self)
        main.add_done_callback(lambda _: self.stop())
        self.run_forever()
        return main.result()

    def run_forever(self) -> None:
        """Run until stopped."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=self._end_generator)
        events._set_running_loop(self)  # noqa: SLF001 - the call that the standard library keeps for event loops
        self._running, self._stopping = True, False
        try:
            while not self._stopping:
                self._turn()
                if not self._stopping:
                    self._advance()
        finally:
            self._running = False
            events._set_running_loop(None)  # noqa: SLF001 - as above
            sys.set_asyncgen_hooks(*hooks)

    def _advance(self) -> None:
        """Move the clock to the next timer and make ready what is due."""
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        if not timers:
            raise Deadlock(
                f"nothing can run and nothing is awaited, at {self._now:.3f} s",
                hint="somebody waits for what nobody will do:\n" + "\n".join(waiting(self)),
            )
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(timers)[2])

    def _turn(self) -> None:
        """Run what is ready, and what that makes ready, in drawn order, until nothing is."""
        ready, below, began = self._ready, self._random.random, self.steps
        while ready and not self._stopping:
            size = len(ready)
            index = int(below() * size)
            handle = ready[index]
            ready[index] = ready[-1]
            ready.pop()
            if handle._cancelled:  # noqa: SLF001 - the loop's side of a handle
                continue
            self.steps += 1
            self.fingerprint = hash((self.fingerprint, size, index, self._now))
            domain = handle._context.get(DOMAIN)  # type: ignore[attr-defined]  # noqa: SLF001 - as above
            if domain is None or domain.admits(handle):
                handle._run()  # noqa: SLF001 - as above
            if self.steps - began > SPINNING or self.steps > self._most:
                raise Runaway(f"{self.steps} callbacks, and no end at {self._now:.3f} s", hint=f"the last: {handle!r}")

    def stop(self) -> None:
        """Stop after the present callback."""
        self._stopping = True

    def is_running(self) -> bool:
        """Tell whether it runs."""
        return self._running

    def is_closed(self) -> bool:
        """Tell whether it is over."""
        return self._closed

    def close(self) -> None:
        """End every task without a further step of the loop, as a machine that is switched off."""
        ended: set[asyncio.Task[Any]] = set()
        events._set_running_loop(self)  # noqa: SLF001 - what unwinds may still ask for its loop
        try:
            for _ in range(UNWINDING):
                for task in sorted(asyncio.all_tasks(self) - ended, key=hash):
                    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - it is meant to be
                    _end(task.get_coro())
                    ended.add(task)
        finally:
            events._set_running_loop(None)  # noqa: SLF001 - as above
        self._ready.clear()
        self._timers.clear()
        self._closed = True

    def get_debug(self) -> bool:
        """Tell that this is no debug mode."""
        return False

    def set_exception_handler(
        self, handler: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None
    ) -> None:
        """Tell whom to call about exceptions that nobody awaits."""
        self._handler = handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Hand on an exception that nobody awaits."""
        if self._handler is not None:
            self._handler(self, context)

    def run_in_executor(self, _executor: object, func: object, *_args: object) -> NoReturn:
        """Refuse: a thread would run in real time."""
        raise ShoalError(f"the simulation has no threads to run {func!r} in", hint="give it a fake that needs none")

    def _end_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.call_soon(lambda: self.create_task(generator.aclose()))


def new_loop(random: Random, *, most: int = 1_000_000) -> VirtualLoop:
    """Make a loop; what it does not define stays abstract, so that it raises where somebody reaches for it."""
    return VirtualLoop(random, most=most)  # type: ignore[abstract]


def waiting(loop: asyncio.AbstractEventLoop) -> Iterable[str]:
    """Say of each task that is not done where it waits, innermost last."""
    for task in sorted(asyncio.all_tasks(loop), key=hash):
        frames = []
        coroutine: Any = task.get_coro()
        while coroutine is not None:
            frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
            if frame is not None:
                frames.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
            coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)
        yield f"  {task.get_name()}: {' > '.join(frames)}"


def _end(coroutine: Any) -> None:
    """Close a coroutine that may want to await something on its way out."""
    for _ in range(50):
        try:
            coroutine.close()
        except RuntimeError:
            continue
        except BaseException:  # noqa: BLE001, S110 - nobody is left who could care
            pass
        return
