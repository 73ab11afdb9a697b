"""Base-2 exponential histograms, as OpenTelemetry's metrics data model has them.

Bucket ``i`` at scale ``s`` counts values in ``(b**i, b**(i + 1)]`` with ``b = 2 ** 2**-s``. The scale falls while there
are values that would need more buckets than may be; two neighbours become one then, so nothing is counted anew, and the
sum of two histograms is one again. Source: OpenTelemetry specification, metrics data model, "ExponentialHistogram", and
metrics SDK, "Base2 Exponential Bucket Histogram Aggregation".
"""

from collections.abc import Iterable
from math import ceil, inf, log2
from time import time
from typing import NamedTuple

MOST = 160
"""Buckets that a histogram has at most; the default of OpenTelemetry's SDKs."""

FINEST = 8
"""Scale with which it begins: finer ones hold less than half an octave in their buckets and fall at once."""

COARSEST = -10
"""Scale at which one bucket holds every number that a float has above 1, and one all below."""


class Exemplar(NamedTuple):
    """One measurement with the trace that it was made in."""

    value: float
    trace_id: str
    span_id: str
    at: float
    """Seconds since 1970."""


class Histogram:
    """Counts positive numbers in buckets of equal relative width, with the latest exemplar of each power of two.

    Not safe for several threads; all of a service is measured in its event loop.
    """

    __slots__ = (
        "_first", "_last", "_latest", "_ratio", "buckets", "count", "largest", "least", "scale", "sum", "zeros",
    )  # fmt: skip

    def __init__(self, scale: int = FINEST) -> None:
        self.scale = scale
        self._ratio = 2.0**scale
        self.buckets: dict[int, int] = {}
        """Counts by index; what is missing is 0."""
        self._first, self._last = MOST * 2, -MOST * 2
        self.zeros = self.count = 0
        self.sum = 0.0
        self.least, self.largest = inf, -inf
        self._latest: dict[int, tuple[float, str, str, float]] = {}
        """Fields of an `Exemplar`, which would take as long to make as all the rest."""

    @property
    def exemplars(self) -> dict[int, Exemplar]:
        """The latest by power of two: that of ``k`` lies in ``(2**k, 2**(k + 1)]``."""
        return {power: Exemplar(*latest) for power, latest in self._latest.items()}

    def record(self, value: float, trace_id: str = "", span_id: str = "") -> None:
        """Count a number; zero has a bucket of its own. What is negative or not finite is none and is left out.

        Args:
            value: What was measured, such as seconds.
            trace_id: The trace that it was measured in, as 32 hexadecimal digits, if that trace is recorded.
            span_id: The span, as 16 of them.
        """
        if not 0.0 <= value < inf:
            return
        self.count += 1
        self.sum += value
        if value < self.least:  # noqa: PLR1730 - a call of min takes three times as long
            self.least = value
        if value > self.largest:  # noqa: PLR1730 - as above
            self.largest = value
        if value == 0.0:
            self.zeros += 1
            return
        power = log2(value)
        index = ceil(power * self._ratio) - 1
        if not self._first <= index <= self._last:
            index = self._reach(index, power)
        self.buckets[index] = self.buckets.get(index, 0) + 1
        if trace_id:
            self._latest[ceil(power) - 1] = (value, trace_id, span_id, time())

    def _reach(self, index: int, power: float) -> int:
        """Make room for an index, if need be by a lower scale; return the index that it has then."""
        if not self.buckets:
            self._first = self._last = index
            return index
        first, last = min(self._first, index), max(self._last, index)
        steps = _steps(first, last)
        if steps:
            self.rescale(self.scale - steps)
            index = ceil(power * self._ratio) - 1
        self._first, self._last = min(self._first, index), max(self._last, index)
        return index

    def rescale(self, scale: int) -> None:
        """Lower the scale; a higher one would have to know more than is known, so it is a `ValueError`."""
        shift = self.scale - scale
        if shift < 0 or scale < COARSEST:
            raise ValueError(f"a histogram of scale {self.scale} cannot have scale {scale}")
        if not shift:
            return
        found: dict[int, int] = {}
        for index, count in self.buckets.items():
            found[index >> shift] = found.get(index >> shift, 0) + count
        self.scale, self.buckets, self._ratio = scale, found, 2.0**scale
        if found:
            self._first, self._last = self._first >> shift, self._last >> shift

    def merge(self, other: "Histogram") -> None:
        """Add what another one counted, which stays as it is; the scale becomes the lower one, or lower still."""
        scale = min(self.scale, other.scale)
        theirs = {index >> (other.scale - scale) for index in other.buckets}
        mine = {index >> (self.scale - scale) for index in self.buckets}
        if every := theirs | mine:
            scale -= _steps(min(every), max(every))
        self.rescale(scale)
        for index, count in other.buckets.items():
            moved = index >> (other.scale - scale)
            self.buckets[moved] = self.buckets.get(moved, 0) + count
        if self.buckets:
            self._first, self._last = min(self.buckets), max(self.buckets)
        self.zeros, self.count, self.sum = self.zeros + other.zeros, self.count + other.count, self.sum + other.sum
        self.least, self.largest = min(self.least, other.least), max(self.largest, other.largest)
        for power, latest in other._latest.items():  # noqa: SLF001 - of its own class
            if power not in self._latest or self._latest[power][-1] < latest[-1]:
                self._latest[power] = latest

    def dense(self) -> tuple[int, list[int]]:
        """Return the first index that counted anything and the counts from there on, without gaps."""
        if not self.buckets:
            return 0, []
        first, last = min(self.buckets), max(self.buckets)
        return first, [self.buckets.get(index, 0) for index in range(first, last + 1)]

    def below(self, bounds: Iterable[float]) -> list[int]:
        """Count what is at most each bound, in their order: exactly where a bound is a power of two.

        Elsewhere the bucket in which a bound lies counts as above it. Below scale 0 that holds of most powers of two as
        well, which needs values whose largest is 2**160 times their least.
        """
        ordered = sorted(self.buckets.items())
        found, running, at = [], self.zeros, 0
        for bound in bounds:
            end = _upper(bound, self._ratio)
            while at < len(ordered) and ordered[at][0] < end:
                running += ordered[at][1]
                at += 1
            found.append(running)
        return found

    def quantile(self, share: float) -> float:
        """Estimate what `share` (0 to 1) of the values are at most; 0 when nothing was counted.

        The estimate lies within ``(b - 1) / (b + 1)`` of the value at that rank, relative to it, where ``b = 2 **
        2**-scale``: it is the harmonic middle of the bucket's bounds.
        """
        rank = max(1, ceil(share * self.count))
        if not self.count or rank <= self.zeros:
            return 0.0
        running = self.zeros
        for index, count in sorted(self.buckets.items()):
            running += count
            if running >= rank:
                low, high = 2 ** (index / self._ratio), 2 ** min((index + 1) / self._ratio, 1023.0)
                return float(min(max(2 * low * high / (low + high), self.least), self.largest))
        raise RuntimeError("unreachable: every value is in a bucket")


def _steps(first: int, last: int) -> int:
    """Say by how much the scale must fall until two indexes are less than `MOST` apart."""
    steps = 0
    while last - first >= MOST:
        first, last, steps = first >> 1, last >> 1, steps + 1
    return steps


def _upper(bound: float, ratio: float) -> float:
    """Return the index of the first bucket that reaches above a bound."""
    return -inf if bound <= 0 else inf if bound == inf else log2(bound) * ratio // 1
