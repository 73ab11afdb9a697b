"""How long a client waits before it connects again."""

import random

LONGEST = 1.0
"""Seconds; whoever comes back is found within so long."""


def reconnecting(attempt: int) -> float:
    """Return seconds that double with each attempt, from 0, up to `LONGEST`, and differ between clients."""
    return min(LONGEST, 0.02 * 2.0 ** min(attempt, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
