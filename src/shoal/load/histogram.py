"""Times in an HDR histogram: three digits of every percentile, whatever the range, in bounded memory."""

from hdrh.histogram import HdrHistogram

from shoal.load.result import Latency

LEAST, MOST, DIGITS = 1, 600_000_000, 3
"""Microseconds; what takes longer is kept as the most."""


class Times:
    """Counts times."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(LEAST, MOST, DIGITS)

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self._histogram.get_total_count())

    def record(self, seconds: float) -> None:
        """Count one."""
        self._histogram.record_value(min(max(int(seconds * 1e6), LEAST), MOST))

    def add(self, other: "Times") -> None:
        """Count those of another, too."""
        self._histogram.add(other._histogram)  # noqa: SLF001 - of the same class

    def latency(self) -> Latency:
        """Sum up."""
        if not self.count:
            return Latency()
        p50, p90, p95, p99, p999, most = self.at(50, 90, 95, 99, 99.9, 100)
        encoded = self._histogram.encode().decode("ascii")
        return Latency(count=self.count, p50=p50, p90=p90, p95=p95, p99=p99, p999=p999, max=most, histogram=encoded)

    def at(self, *percentiles: float) -> tuple[float, ...]:
        """Return the times within which so many percent were done, in milliseconds; 0 where there are none."""
        found = self._histogram.get_percentile_to_value_dict(percentiles) if self.count else {}
        return tuple(found.get(percentile, 0) / 1e3 for percentile in percentiles)


def read(latency: Latency) -> Times:
    """Read what `Times.latency` wrote."""
    found = Times()
    if latency.histogram:
        found._histogram.decode_and_add(latency.histogram.encode("ascii"))  # noqa: SLF001 - ours
    return found
