"""Whether a new version of a service is worse than the old one, from what both have answered.

A new version is *worse* when the share of its bad answers exceeds that of the old version by more than the margin, with
confidence: the lower bound of Newcombe's hybrid score interval for the difference of two proportions (R. G. Newcombe,
"Interval estimation for the difference between independent proportions: comparison of eleven methods", Statistics in
Medicine 17, 1998, method 10; it is made of Wilson's score intervals, JASA 22, 1927) lies above the margin. It is *fine*
when the upper bound does not. Bad is, once, an answer of class 5xx, and once, one slower than 95 % of the old ones.
The interval holds for small numbers and for shares near 0, where the normal approximation does not. A verdict is asked
for again and again, so each look has a level of 0.0005.
"""

import math
from typing import Literal

import msgspec

from shoal.model.data import Data
from shoal.model.rollout import Rollout

Z = 3.2905
"""Quantile of the normal distribution for a one-sided level of 0.0005."""

USUAL = 0.95
"""Share of the old version's answers that count as quick."""

Outcome = Literal["waiting", "undecided", "worse", "fine"]


class Counts(Data, frozen=True, kw_only=True):
    """What one version has answered since the comparison began."""

    requests: int = 0
    errors: int = 0
    """Answers of class 5xx, those included that the proxy gave because nobody else did."""
    within: dict[str, int] = msgspec.field(default_factory=dict)
    """Upper bound in milliseconds → answers that took no longer."""


class Judgement(Data, frozen=True, kw_only=True):
    """A verdict and why."""

    outcome: Outcome
    reason: str


def judge(stable: Counts, fresh: Counts, rule: Rollout) -> Judgement:
    """Compare a new version with the stable one.

    Where the stable version got no requests, the new one is held against one that makes no errors; latency then
    has no measure.
    """
    if fresh.requests < rule.requests:
        return Judgement(outcome="waiting", reason=f"{fresh.requests} of {rule.requests} requests")
    errors = difference((fresh.errors, fresh.requests), (stable.errors, stable.requests))
    said = f"5xx {_share(fresh.errors, fresh.requests)}, stable {_share(stable.errors, stable.requests)}"
    if errors[0] > rule.errors:
        return Judgement(outcome="worse", reason=said)
    bound, slow, usual = slowness(stable, fresh)
    late = difference(slow, usual) if bound else (-1.0, -1.0)
    if bound:
        said += f"; slower than {bound} ms {_share(*slow)}, stable {_share(*usual)}"
    if late[0] > rule.slow:
        return Judgement(outcome="worse", reason=said)
    fine = errors[1] <= rule.errors and late[1] <= rule.slow
    return Judgement(outcome="fine" if fine else "undecided", reason=said)


def slowness(stable: Counts, fresh: Counts) -> tuple[str, tuple[int, int], tuple[int, int]]:
    """Count what is slow on both sides; an empty bound when the stable version tells nothing."""
    usual, total = _bound(stable)
    fresh_total = max(fresh.within.values(), default=0)
    if not usual or not fresh_total:
        return "", (0, 0), (0, 0)
    slow = fresh_total - fresh.within.get(usual, 0)
    return usual, (slow, fresh_total), (total - stable.within[usual], total)


def difference(one: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    """Return the bounds of the difference of two shares, each as (how many, of how many).

    A share of nothing counts as 0, exactly.
    """
    (p1, low1, high1), (p2, low2, high2) = _wilson(*one), _wilson(*other)
    return p1 - p2 - math.hypot(p1 - low1, high2 - p2), p1 - p2 + math.hypot(high1 - p1, p2 - low2)


def since(now: Counts, then: Counts) -> Counts:
    """Take away what was counted before; counters that have gone back were begun anew."""
    if now.requests < then.requests or now.errors < then.errors:
        return now
    within = {bound: max(count - then.within.get(bound, 0), 0) for bound, count in now.within.items()}
    return Counts(requests=now.requests - then.requests, errors=now.errors - then.errors, within=within)


def _wilson(hits: int, total: int) -> tuple[float, float, float]:
    if total == 0:
        return 0.0, 0.0, 0.0
    p, square = min(hits / total, 1.0), Z * Z
    centre = (p + square / (2 * total)) / (1 + square / total)
    half = Z / (1 + square / total) * math.sqrt(p * (1 - p) / total + square / (4 * total * total))
    return p, min(max(centre - half, 0.0), p), max(min(centre + half, 1.0), p)


def _bound(stable: Counts) -> tuple[str, int]:
    """Find the smallest bound that holds the usual share of the stable version's answers."""
    total = max(stable.within.values(), default=0)
    holding = [bound for bound, count in stable.within.items() if total and count >= USUAL * total]
    return min(holding, key=float, default=""), total


def _share(hits: int, total: int) -> str:
    return f"{hits} of {total} ({100 * hits / total:.1f} %)" if total else "none"
