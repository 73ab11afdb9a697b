"""Histograms of metrics as the file has them: what came between two points, and its quantiles.

One with explicit bounds is ``[sum, bounds, counts]``; an exponential one is ``[sum, scale, zero, offset, counts]``,
whose bucket `n` ends at ``2 ** ((n + 1) / 2 ** scale)`` (``opentelemetry/proto/metrics/v1/metrics.proto``).
"""

from typing import Any, NamedTuple

import msgspec


class Buckets(NamedTuple):
    """Counts below upper bounds; there is one count more, of what lies above the last bound."""

    sum: float
    bounds: list[float]
    counts: list[int]

    @property
    def mean(self) -> float | None:
        """Mean of the values; None without any."""
        return self.sum / sum(self.counts) if sum(self.counts) else None

    def quantile(self, share: float) -> float | None:
        """Find a quantile, between the bounds of its bucket as if its values lay evenly in it."""
        wanted, seen = share * sum(self.counts), 0.0
        if not self.bounds or not wanted:
            return None
        for number, count in enumerate(self.counts):
            if count and seen + count >= wanted:
                low = self.bounds[number - 1] if number else min(0.0, self.bounds[0])
                high = self.bounds[min(number, len(self.bounds) - 1)]
                return low + (high - low) * (wanted - seen) / count
            seen += count
        return self.bounds[-1]


def between(now: bytes, before: bytes | None) -> Buckets:
    """Take from a histogram what an earlier one had; all of it where the earlier one has other bounds."""
    later = msgspec.json.decode(now)
    earlier = msgspec.json.decode(before) if before is not None else None
    if earlier is not None and len(earlier) != len(later):
        earlier = None
    return _exponential(later, earlier) if len(later) == 5 else _explicit(later, earlier)


def _explicit(later: list[Any], earlier: list[Any] | None) -> Buckets:
    whole, bounds, counts = later
    if earlier is None or earlier[1] != bounds or len(earlier[2]) != len(counts):
        return Buckets(whole, bounds, counts)
    return Buckets(whole - earlier[0], bounds, [max(0, a - b) for a, b in zip(counts, earlier[2], strict=True)])


def _exponential(later: list[Any], earlier: list[Any] | None) -> Buckets:
    whole, scale, zero = later[:3]
    if earlier is not None:
        whole, scale, zero = whole - earlier[0], min(scale, earlier[1]), max(0, zero - earlier[2])
    counts = _at(later, scale)
    for number, count in _at(earlier, scale).items() if earlier is not None else ():
        if number in counts:
            counts[number] = max(0, counts[number] - count)
    first, last = min(counts, default=0), max(counts, default=-1)
    bounds = [0.0, *(_end(number, scale) for number in range(first, last + 2))]
    return Buckets(whole, bounds, [zero, 0, *(counts.get(number, 0) for number in range(first, last + 1)), 0])


def _end(number: int, scale: int) -> float:
    """Say where a bucket begins, within what a number can be: a stranger may have sent any."""
    return float(2.0 ** max(-1022.0, min(1023.0, number / 2.0**scale)))


def _at(told: list[Any], scale: int) -> dict[int, int]:
    """Count by the numbers of the buckets at a coarser scale."""
    _, own, _, offset, counts = told
    found: dict[int, int] = {}
    for number, count in enumerate(counts):
        if count:
            coarse = (offset + number) >> (own - scale)
            found[coarse] = found.get(coarse, 0) + count
    return found
