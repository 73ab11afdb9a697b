"""Counters in the process, shown in the Prometheus text format (version 0.0.4)."""

from bisect import bisect_left
from collections.abc import Callable, Iterable

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the duration histograms, in seconds."""


class Series:
    """Counts and durations of one endpoint or one subscription."""

    __slots__ = ("_buckets", "_kind", "_name", "_outcomes", "_sum")

    def __init__(self, kind: str, name: str) -> None:
        self._kind, self._name = kind, name
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._sum = 0.0
        self._outcomes: dict[str, int] = {}

    def observe(self, outcome: str, seconds: float) -> None:
        """Count one piece of work."""
        self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1
        self._buckets[bisect_left(BUCKETS, seconds)] += 1
        self._sum += seconds

    def counts(self) -> Iterable[str]:
        """Write the samples of the counter."""
        for outcome, count in sorted(self._outcomes.items()):
            yield f'shoal_{self._kind}_total{{{self._kind}="{self._name}",outcome="{outcome}"}} {count}'

    def durations(self) -> Iterable[str]:
        """Write the samples of the histogram."""
        label = f'{self._kind}="{self._name}"'
        running = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), self._buckets, strict=True):
            running += count
            yield f'shoal_{self._kind}_seconds_bucket{{{label},le="{bound}"}} {running}'
        yield f"shoal_{self._kind}_seconds_sum{{{label}}} {self._sum:.6f}"
        yield f"shoal_{self._kind}_seconds_count{{{label}}} {running}"


class Metrics:
    """All series of one service."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str], Series] = {}
        self.gauges: dict[str, Callable[[], float]] = {}
        """What is read when somebody looks, by name."""
        self.families: list[Callable[[], Iterable[str]]] = []
        """Further families of samples, each written by who counts them."""

    def series(self, kind: str, name: str) -> Series:
        """Return a series, made when first asked for; `kind` is ``request``, ``event``, ``schedule`` or ``saga``."""
        return self._series.setdefault((kind, name), Series(kind, name))

    def render(self, gauges: dict[str, float]) -> str:
        """Write everything, the samples of one family together, with present values of `gauges`."""
        lines = []
        for kind in dict.fromkeys(kind for kind, _ in self._series):
            members = [s for (k, _), s in sorted(self._series.items()) if k == kind]
            if members:
                lines += [f"# TYPE shoal_{kind}_total counter", *(x for m in members for x in m.counts())]
                lines += [f"# TYPE shoal_{kind}_seconds histogram", *(x for m in members for x in m.durations())]
        lines += [line for family in self.families for line in family()]
        read = {name: gauge() for name, gauge in self.gauges.items()}
        for name, value in sorted({**read, **gauges}.items()):
            lines += [f"# TYPE {name} gauge", f"{name} {value!r}"]
        return "\n".join(lines) + "\n"
