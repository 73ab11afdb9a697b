"""A clock that tests can move."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class MovableClock:
    """Runs with the machine's clock, ahead of it by what tests added."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._watchers: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """Return the present of the test, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic() + self._ahead

    def advance(self, by: float | timedelta) -> None:
        """Move the time forward by seconds or a span; what was due meanwhile becomes due now."""
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        if seconds < 0:
            raise ValueError(f"time only moves forward, not by {seconds} s")
        self._ahead += seconds
        for watcher in self._watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after each move."""
        self._watchers.append(watcher)
