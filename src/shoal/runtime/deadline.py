"""Deadlines: how long the present work is still wanted."""

import time

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
