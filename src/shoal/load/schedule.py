"""When visitors arrive: a Poisson process, which does not ask how the system is. Pure.

Arrivals of many people who do not know each other have independent gaps (exponential). While the rate still rises,
time is stretched so that the same gaps give the rate of each moment. The same seed gives the same times.
"""

import math
from collections.abc import Iterator
from random import Random


def arrivals(rate: float, *, ramp: float = 0.0, seconds: float = math.inf, random: Random) -> Iterator[float]:
    """Yield the times of arrivals, in seconds since the start.

    Args:
        rate: Arrivals per second once it has risen.
        ramp: Seconds in which the rate rises evenly from nothing.
        seconds: When the last one may arrive.
        random: Where the gaps come from.
    """
    passed = 0.0
    while True:
        passed += random.expovariate(1.0)
        at = moment(passed, rate, ramp)
        if at >= seconds:
            return
        yield at


def moment(count: float, rate: float, ramp: float) -> float:
    """Tell when `count` arrivals are to be expected: the inverse of `expected`."""
    risen = rate * ramp / 2
    return math.sqrt(2 * count * ramp / rate) if count < risen else ramp / 2 + count / rate


def expected(until: float, rate: float, ramp: float) -> float:
    """Tell how many arrivals are to be expected until a time."""
    return rate * until * until / (2 * ramp) if until < ramp else rate * (until - ramp / 2)
