"""The states of a circuit breaker (Nygard, Release It!): closed, open, half-open. Time is given, nothing waits."""

from typing import Literal

from shoal.model.breaker import Breaker

State = Literal["closed", "open", "half-open"]

_SLICES = 10
"""Parts of the window that are forgotten one by one."""


class Circuit:
    """Counts how calls end and decides whether the next may be made.

    Each call that is admitted carries the number of the period in which it began; how it ends counts only within that
    period, so that what was asked before the circuit opened can neither close it nor open it again.
    """

    __slots__ = ("_breaker", "_failed", "_good", "_opened", "_period", "_probing", "_since", "_span", "state")

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._span = breaker.window / _SLICES
        self._good, self._failed = [0] * _SLICES, [0] * _SLICES
        self._since = -(10**18)
        """Number of the latest slice that was counted in."""
        self._period = 1
        self._opened = 0.0
        self._probing = False
        self.state: State = "closed"

    def admit(self, now: float) -> int:
        """Return the period of a call that may be made; 0 when it may not.

        After the reset timeout one call is let through, and no other until it has ended.
        """
        if self.state == "open" and now - self._opened >= self._breaker.reset_timeout:
            self._turn("half-open")
        if self.state == "closed":
            return self._period
        if self.state == "open" or self._probing:
            return 0
        self._probing = True
        return self._period

    def wait(self, now: float) -> float:
        """Seconds until a call may be made again; 0 while one may."""
        if self.state != "open":
            return 0.0
        return max(0.0, self._breaker.reset_timeout - (now - self._opened))  # as `admit` reckons, to the last bit

    def succeeded(self, period: int, now: float) -> None:
        """Note that the callee answered, be it with a refusal."""
        if period != self._period:
            return
        if self.state == "half-open":
            self._turn("closed")
            return
        self._good[self._slice(now)] += 1

    def failed(self, period: int, now: float) -> None:
        """Note that the callee did not answer as one that works does."""
        if period != self._period:
            return
        if self.state == "half-open":
            self._open(now)
            return
        self._failed[self._slice(now)] += 1
        failed, total = sum(self._failed), sum(self._failed) + sum(self._good)
        if total >= self._breaker.volume_threshold and failed * 100 >= total * self._breaker.error_threshold:
            self._open(now)

    def abandoned(self, period: int) -> None:
        """Note that nobody waited for the end; the next call may be the one that looks."""
        if period == self._period:
            self._probing = False

    def _open(self, now: float) -> None:
        self._opened = now
        self._turn("open")

    def _turn(self, state: State) -> None:
        self.state = state
        self._period += 1
        self._probing = False
        self._good, self._failed = [0] * _SLICES, [0] * _SLICES

    def _slice(self, now: float) -> int:
        """Return the place of the present slice, and forget those that have left the window."""
        number = max(int(now // self._span), self._since)
        for old in range(max(self._since + 1, number - _SLICES + 1), number + 1):
            self._good[old % _SLICES] = self._failed[old % _SLICES] = 0
        self._since = number
        return number % _SLICES
