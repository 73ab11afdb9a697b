"""The time, as production has it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from shoal.service.context import Clock


class SystemClock:
    """Reads the machine's clock."""

    def now(self) -> datetime:
        """Return the present, in UTC."""
        return datetime.now(UTC)


def seconds_of(clock: Clock) -> Callable[[], float]:
    """Return what reads a clock in seconds since 1970; the machine's own is read without making a `datetime`."""
    return time.time if isinstance(clock, SystemClock) else lambda: clock.now().timestamp()


def monotonic_of(clock: Clock) -> Callable[[], float]:
    """Return what measures waits: a clock's own monotonic reading where it has one, else the machine's."""
    found: Callable[[], float] = getattr(clock, "monotonic", time.monotonic)
    return found


def when_moved(clock: Clock, stir: Callable[[], None]) -> None:
    """Have `stir` called whenever a clock that tests can move was moved."""
    watch = getattr(clock, "watch", None)
    if watch is not None:
        watch(stir)
