"""Deadlines: how long the present work is still wanted."""

import asyncio
import time
from math import inf
from types import TracebackType

EXPECTED = "x-envoy-expected-rq-timeout-ms"
"""Header by which Envoy tells a service how long the caller will wait (Envoy, HTTP headers of the router filter)."""

REQUESTED = "x-envoy-upstream-rq-timeout-ms"
"""Header by which a caller tells Envoy how long it will wait."""


class Budget:
    """A point in time, on the monotonic clock."""

    __slots__ = ("at",)

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self.at - time.monotonic())


def budget(policy_timeout: float, header: str | None) -> float:
    """Seconds that a request gets: the endpoint's own timeout, or less if its caller waits less."""
    if header is not None and header.isascii() and header.isdigit():
        return min(policy_timeout, int(header) / 1000)
    return policy_timeout


class Limits:
    """Holds pieces of work to their budgets with one timer for all of them; see `Limit`.

    A timer for each request costs more than routing, authorising and decoding it together. This one is set for the
    earliest budget and only looks again when it goes off, which work that ends in time hardly ever sees.
    """

    __slots__ = ("_timer", "armed", "live", "loop")

    def __init__(self) -> None:
        self.live: set[Limit] = set()
        self.armed = inf
        self.loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def move(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin anew on another loop, as tests bring one after the other."""
        self.loop, self.armed, self._timer = loop, inf, None
        self.live.clear()

    def arm(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        """Set the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self.armed = at
        self._timer = loop.call_later(max(0.0, at - time.monotonic()), self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cancel what is late and set the timer for what is next."""
        now, self.armed, self._timer = time.monotonic(), inf, None
        for limit in sorted((limit for limit in self.live if limit.at <= now), key=lambda limit: limit.at):
            self.live.discard(limit)
            limit.expire()
        if self.live:
            self.arm(loop, min(limit.at for limit in self.live))


class Limit:
    """Cancels its block when its budget is spent and raises `TimeoutError` from it, as `asyncio.timeout` does."""

    __slots__ = ("_cancelling", "_expired", "_limits", "_task", "at")

    def __init__(self, limits: Limits, budget: Budget) -> None:
        self.at = budget.at
        self._limits = limits
        self._expired = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task can be held to a budget")
        self._task, self._cancelling = task, task.cancelling()
        limits = self._limits
        if loop is not limits.loop:
            limits.move(loop)
        limits.live.add(self)
        if self.at < limits.armed:
            limits.arm(loop, self.at)

    def expire(self) -> None:
        """Cancel the work."""
        self._expired = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limits.live.discard(self)
        # As asyncio.timeout: a cancellation from elsewhere, at the same time, goes on as one.
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
