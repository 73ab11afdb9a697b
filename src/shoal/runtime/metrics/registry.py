"""The registry of one service: what its parts count, and what is read from them when somebody looks."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import time
from typing import TypeVar

from shoal.runtime.metrics.catalog import CATALOG, OUTCOME
from shoal.runtime.metrics.promises import Promise, Promises
from shoal.runtime.trace import Trace, current
from shoal.telemetry.histogram import Histogram
from shoal.telemetry.measures import Attributes, Family, Point

L = TypeVar("L")

Reading = float | None | Iterable[Point]
"""One value without attributes, none at present, or several with attributes."""

_SAMPLED = frozenset("13579bdfBDF")
"""Last digits of the flags of a trace that is recorded."""


class Series:
    """Durations of one thing that a service does, by their outcome."""

    __slots__ = ("_attributes", "_children")

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes
        self._children: dict[str, Histogram] = {}

    def observe(self, outcome: str, seconds: float, trace: Trace | None = None) -> None:
        """Count one piece of work.

        Args:
            outcome: Such as ``ok``; of a request the status.
            seconds: What it took.
            trace: Where it was done, for the exemplar; that of the present work when nothing is given.
        """
        child = self._children.get(outcome)
        if child is None:
            child = self._children[outcome] = Histogram()
        if trace is None:
            context = current.get()
            if context is None:
                child.record(seconds)
                return
            trace = context.trace
        if trace.flags[-1] in _SAMPLED:
            child.record(seconds, trace.trace_id, trace.span_id)
        else:
            child.record(seconds)

    def points(self) -> Iterable[Point]:
        """Show what was counted."""
        for outcome, child in sorted(self._children.items()):
            yield Point((*self._attributes, *self._said(outcome)), child)

    def _said(self, outcome: str) -> Attributes:
        return ((OUTCOME, outcome),)


class Requests(Series):
    """Requests of one endpoint, by the status of their answers."""

    __slots__ = ()

    def _said(self, outcome: str) -> Attributes:
        said = (("http.response.status_code", int(outcome)),)
        return (*said, ("error.type", outcome)) if outcome >= "500" else said


class Promised(Requests):
    """Requests that count for objectives, too."""

    __slots__ = ("_promises",)

    def __init__(self, attributes: Attributes, promises: Sequence[Promise]) -> None:
        super().__init__(attributes)
        self._promises = promises

    def observe(self, outcome: str, seconds: float, trace: Trace | None = None) -> None:
        """Count one request, by its status."""
        super().observe(outcome, seconds, trace)
        failed = outcome >= "500"
        for promise in self._promises:
            promise.count(seconds, failed=failed)


class Level:
    """How many of something there are at present."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


_NAMED = {
    "request": ("http.server.request.duration", "shoal.operation"),
    "event": ("messaging.process.duration", "messaging.destination.name"),
    "delay": ("shoal.event.delay", "messaging.destination.name"),
    "saga": ("shoal.saga.duration", "shoal.saga.step"),
    "schedule": ("shoal.schedule.duration", "shoal.schedule"),
    "projection": ("shoal.projection.duration", "shoal.projection"),
    "journal": ("shoal.journal.duration", "shoal.event"),
    "cache": ("shoal.cache.duration", "shoal.cache.operation"),
    "cached": ("shoal.cached.duration", "shoal.function"),
}
"""Kinds of work: what its durations are called, and which attribute names the one that did it."""


class Metrics:
    """Everything that one service measures."""

    def __init__(self) -> None:
        self.since = time()
        """When counting began, in seconds since 1970."""
        self._series: dict[tuple[str, str], Series] = {}
        self.always: dict[str, Attributes] = {}
        """Attributes that everything of a kind of work has."""
        self._watched: dict[str, list[Callable[[], Reading]]] = {}
        self._rights: dict[str, Level] = {}
        self.busy = self.level("http.server.active_requests", (("url.scheme", "http"),))
        """Requests that are being answered."""
        self.promises = Promises()
        self.watch("shoal.objective.requests", self.promises.points)
        self.watch("shoal.objective.target", self.promises.targets)

    def series(self, kind: str, name: str, more: Attributes = ()) -> Series:
        """Return the durations of one thing, made when first asked for.

        Args:
            kind: ``event``, ``delay``, ``saga``, ``schedule``, ``projection``, ``journal``, ``cache`` or ``cached``.
            name: What it is called, such as the id of the event.
            more: Further attributes that it always has.
        """
        found = self._series.get((kind, name))
        if found is None:
            found = self._series[kind, name] = Series((*self.always.get(kind, ()), *more, (_NAMED[kind][1], name)))
        return found

    def requests(self, name: str, more: Attributes, promises: Sequence[Promise] = ()) -> Series:
        """Return the requests of one operation, made when first asked for; they count for objectives, too."""
        found = self._series.get(("request", name))
        if found is None:
            attributes = (*more, (_NAMED["request"][1], name))
            made = Promised(attributes, promises) if promises else Requests(attributes)
            found = self._series["request", name] = made
        return found

    def histogram(self, name: str) -> Histogram:
        """Make a histogram without attributes of what has no outcome."""
        made = Histogram()
        self.watch(name, lambda: (Point((), made),))
        return made

    def level(self, name: str, attributes: Attributes = ()) -> Level:
        """Make what somebody raises and lowers."""
        made = Level()
        self.watch(name, lambda: (Point(attributes, made.value),))
        return made

    def watch(self, name: str, read: Callable[[], Reading]) -> None:
        """Let a metric of the catalog be read when somebody looks; several may show points of one metric."""
        if name not in CATALOG:
            raise KeyError(f"{name} is not in the catalog of metrics")
        self._watched.setdefault(name, []).append(read)

    @asynccontextmanager
    async def held(self, group: str, waiting: AbstractAsyncContextManager[L]) -> AsyncIterator[L]:
        """Wait for a right to work, and count it among those that this process holds for as long as it does."""
        level = self._rights.get(group)
        if level is None:
            level = self._rights[group] = self.level("shoal.leases.held", (("shoal.lease.group", group),))
        async with waiting as right:
            level.value += 1
            try:
                yield right
            finally:
                level.value -= 1

    def snapshot(self) -> Sequence[Family]:
        """Read everything, in the order of the catalog; what has nothing to say is left out."""
        found: dict[str, list[Point]] = {}
        for (kind, _), series in sorted(self._series.items()):
            found.setdefault(_NAMED[kind][0], []).extend(series.points())
        for name, reads in self._watched.items():
            found.setdefault(name, []).extend(point for read in reads for point in _points(read()))
        return [Family(CATALOG[name], found[name]) for name in CATALOG if found.get(name)]


def _points(reading: Reading) -> Iterable[Point]:
    if reading is None:
        return ()
    return (Point((), reading),) if isinstance(reading, int | float) else reading
