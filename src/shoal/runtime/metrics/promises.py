"""Requests counted against the objectives of their endpoint and of their service, each at its own threshold."""

from collections.abc import Iterable, Sequence

from shoal.model.objectives import Objective
from shoal.runtime.metrics.catalog import OUTCOME
from shoal.telemetry.measures import Point


class Promise:
    """How one objective of one endpoint, or service, is kept."""

    __slots__ = ("bad", "good", "judge", "objective")

    def __init__(self, objective: Objective) -> None:
        self.objective, self.judge = objective, objective.judge
        self.good = self.bad = 0

    def count(self, seconds: float, *, failed: bool) -> None:
        """Count a request: what it took, and whether it was answered with a status of 5xx."""
        good = self.judge(seconds, failed=failed)
        if good:
            self.good += 1
        elif good is not None:
            self.bad += 1


class Promises:
    """The objectives of one service, by whose they are."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Promise] = {}

    def of(self, what: str, objectives: Iterable[Objective]) -> Sequence[Promise]:
        """Return what counts for objectives of an operation, or of a service; made when first asked for."""
        return [self._found.setdefault((what, each.name), Promise(each)) for each in objectives]

    def targets(self) -> Iterable[Point]:
        """Show what is promised, so that who reads the counts knows what they are for."""
        for (what, name), promise in sorted(self._found.items()):
            said = (("shoal.operation", what), ("shoal.objective", name))
            window = ("shoal.objective.window", promise.objective.window)
            yield Point((*said, window), promise.objective.goal)

    def points(self) -> Iterable[Point]:
        """Show what was counted: also nothing, so that a rate has a beginning."""
        for (what, name), promise in sorted(self._found.items()):
            said = (("shoal.operation", what), ("shoal.objective", name))
            yield Point((*said, (OUTCOME, "good")), promise.good)
            yield Point((*said, (OUTCOME, "bad")), promise.bad)
