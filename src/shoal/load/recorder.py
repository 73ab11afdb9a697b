"""Counts what happens while a load runs, by operation and by journey."""

from collections import Counter, defaultdict

from shoal.load.histogram import Times
from shoal.load.result import Ends, Row


class Series:
    """What became of some requests."""

    def __init__(self) -> None:
        self.due = self.succeeded = self.cut = 0
        self.refused: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.corrected, self.uncorrected = Times(), Times()

    @property
    def ended(self) -> int:
        """How many had an end."""
        return self.succeeded + self.refused.total() + self.failed.total()

    def row(self, name: str, asked: float, reached: float) -> Row:
        """Sum up."""
        return Row(
            name=name,
            asked=asked,
            reached=reached,
            requests=self.due,
            succeeded=self.succeeded,
            refused=dict(sorted(self.refused.items())),
            failed=dict(sorted(self.failed.items())),
            cut=self.cut,
            corrected=self.corrected.latency(),
            uncorrected=self.uncorrected.latency(),
        )

    def add(self, other: "Series") -> None:
        """Count those of another, too."""
        self.due, self.cut = self.due + other.due, self.cut + other.cut
        self.succeeded += other.succeeded
        self.refused.update(other.refused)
        self.failed.update(other.failed)
        self.corrected.add(other.corrected)
        self.uncorrected.add(other.uncorrected)


class Tally:
    """How the journeys of a name ended so far."""

    def __init__(self) -> None:
        self.begun = self.finished = self.left = self.cut = self.broken = self.turned_away = 0

    def ends(self) -> Ends:
        """Sum up."""
        return Ends(**vars(self))


class Recorder:
    """Everything of one run."""

    def __init__(self) -> None:
        self.operations: defaultdict[str, Series] = defaultdict(Series)
        self.journeys: defaultdict[str, Series] = defaultdict(Series)
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self.problems: Counter[tuple[str, str]] = Counter()
        self.traces: dict[tuple[str, str], str] = {}
        self.lateness = Times()
        self.queued = 0
        """Requests that waited since as many were under way as may be."""
        self.broken = ""
        """The first error of a journey itself."""

    def series(self, operation: str, journey: str) -> tuple[Series, Series]:
        """Find where a request is counted, and count it as due."""
        found = self.operations[operation], self.journeys[journey]
        for one in found:
            one.due += 1
        return found

    def trouble(self, operation: str, kind: str, trace: str) -> None:
        """Keep an example of what went wrong."""
        self.problems[operation, kind] += 1
        self.traces[operation, kind] = trace

    def total(self) -> Series:
        """Add everything up."""
        found = Series()
        for series in self.operations.values():
            found.add(series)
        return found
