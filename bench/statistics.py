"""Ratios of interleaved measurements and how far they can be trusted. Pure."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

CONFIDENCE = 0.95
RESAMPLES = 5_000
WIDEST = 0.10
"""An interval that reaches further than this part of its median, on either side, resolves nothing."""

Better = Literal["higher", "lower"]
Verdict = Literal["met", "missed", "unresolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A median and the interval that holds it with 95 % confidence."""

    median: float
    low: float
    high: float

    @property
    def resolved(self) -> bool:
        """Whether the interval is narrow enough to be published."""
        reach = WIDEST * abs(self.median)
        return self.high - self.median <= reach and self.median - self.low <= reach

    def __str__(self) -> str:
        text = f"{self.median:.3g} [{self.low:.3g}, {self.high:.3g}]"
        return text if self.resolved else f"{text} unresolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a ratio has to reach."""

    bound: float
    better: Better = "higher"

    def verdict(self, found: Estimate) -> Verdict:
        """Judge by the whole interval: on the right side, on the wrong side, or across the bound."""
        above, below = found.low >= self.bound, found.high <= self.bound
        if self.better == "lower":
            above, below = below, above
        if above:
            return "met"
        return "missed" if below else "unresolved"

    def __str__(self) -> str:
        return f"{'≥' if self.better == 'higher' else '≤'} {self.bound:g}"


def estimate(values: Sequence[float], *, seed: int = 1) -> Estimate:
    """Estimate the median by resampling (percentile bootstrap); the same values give the same interval."""
    if not values:
        raise ValueError("nothing was measured")
    draw = random.Random(seed)  # noqa: S311 - resampling, not secrecy
    medians = sorted(median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    tail = (1 - CONFIDENCE) / 2
    low, high = medians[int(tail * RESAMPLES)], medians[min(RESAMPLES - 1, int((1 - tail) * RESAMPLES))]
    return Estimate(median=median(values), low=low, high=high)


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> tuple[float, ...]:
    """Divide round by round."""
    return tuple(a / b for a, b in zip(numerators, denominators, strict=True))


def palindrome(names: Sequence[str], turn: int) -> tuple[str, ...]:
    """Order one round: everybody once, then once more in reverse, so that a drift of the machine cancels out.

    `turn` rotates who begins: of two names it gives ABBA, then BAAB.
    """
    start = turn % len(names)
    once = (*names[start:], *names[:start])
    return (*once, *reversed(once))
