"""Bound waits for answers with one timer for all connections of an event loop.

A timer for each statement costs more than encoding its values. This one is set for the earliest end and only looks
again when it goes off, which statements that are answered in time hardly ever see.
"""

import asyncio
from collections.abc import Callable
from math import inf


class Watch:
    """One waiter, who waits for one thing at a time."""

    __slots__ = ("_late", "_watcher", "at", "expired")

    def __init__(self, late: Callable[[], None], watcher: "_Watcher") -> None:
        self._late, self._watcher = late, watcher
        self.at = inf
        self.expired = False
        """Whether a wait was ended because nothing came."""

    def begin(self, seconds: float) -> None:
        """Begin to wait."""
        watcher = self._watcher
        self.at = at = watcher.loop.time() + seconds
        watcher.waiting.add(self)
        if at < watcher.armed:
            watcher.arm(at)

    def end(self) -> None:
        """Wait no longer."""
        self._watcher.waiting.discard(self)

    def expire(self) -> None:
        """Give up."""
        self.expired = True
        self._late()


class _Watcher:
    """The timer of one event loop, and who waits."""

    __slots__ = ("_timer", "armed", "loop", "waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiting: set[Watch] = set()
        self.armed = inf
        self._timer: asyncio.TimerHandle | None = None

    def arm(self, at: float) -> None:
        """Set the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self.armed = at
        self._timer = self.loop.call_at(at, self._look)

    def _look(self) -> None:
        """Give up what is late, and set the timer for what is next."""
        now, self.armed, self._timer = self.loop.time(), inf, None
        for watch in [watch for watch in self.waiting if watch.at <= now]:
            self.waiting.discard(watch)
            watch.expire()
        if self.waiting:
            self.arm(min(watch.at for watch in self.waiting))


_watchers: dict[int, _Watcher] = {}
"""By the event loop's identity; one that is gone is replaced by its successor."""


def watch(late: Callable[[], None]) -> Watch:
    """Return what bounds the waits of one waiter; `late` is called when a wait was too long."""
    loop = asyncio.get_running_loop()
    found = _watchers.get(id(loop))
    if found is None or found.loop is not loop:
        for known in [key for key, watcher in _watchers.items() if watcher.loop.is_closed()]:
            del _watchers[known]
        found = _watchers[id(loop)] = _Watcher(loop)
    return Watch(late, found)
