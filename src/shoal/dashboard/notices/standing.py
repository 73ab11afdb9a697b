"""How the objectives of a run stand, from what its services counted and what the gateway could not hand on to them."""

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shoal.dashboard.notices.unanswered import LATE, Edge, Unanswered
from shoal.dashboard.store.reading.database import Database
from shoal.errors import DeclarationError
from shoal.model.burning import Burn, Count, budget_left, burns, total
from shoal.model.objectives import Objective, read_objective

_COUNTS, _TARGET = "shoal.objective.requests", "shoal.objective.target"
_AVAILABILITY = "availability"

_TOGETHER = 10.0
"""Seconds whose requests are added up."""

Place = tuple[str, str, str]
"""Service, operation (or the service once more) and name of an objective."""


class BurnLine(msgspec.Struct, frozen=True, kw_only=True):
    """How fast the budget burns over one pair of windows, which are seconds."""

    severity: str
    window: float
    confirmed: float
    """The shorter window."""
    limit: float
    rate: float
    confirming: float
    """The rate over the shorter window."""
    sounding: bool


class ObjectiveLine(msgspec.Struct, frozen=True, kw_only=True):
    """How one objective stands."""

    service: str
    operation: str
    """As ``orders.place_order``; the service alone where all its requests count."""
    name: str
    promise: str
    goal: float
    window: str
    good: float
    bad: float
    kept: float | None
    """Share of the requests that were good within the window; None where none came."""
    budget_left: float
    """Share of the error budget that is left; negative when it is overdrawn."""
    burns: list[BurnLine]


class Objectives(msgspec.Struct, frozen=True, kw_only=True):
    """All objectives, those with the least budget left first."""

    items: list[ObjectiveLine]


class Tallies:
    """What was counted for each objective of a run; reads what came since it read last."""

    def __init__(self) -> None:
        self.objectives: dict[Place, Objective] = {}
        self.until = 0.0
        """When something was counted last, in seconds since 1970; 0 when nothing was."""
        self._counts: dict[Place, dict[int, Count]] = {}
        self._last: dict[int, tuple[int, float]] = {}
        """Of each series when it was read last, and what it told."""

    def of(self, place: Place) -> list[Count]:
        """Return what was counted for an objective."""
        return list(self._counts.get(place, {}).values())

    def read(self, database: Database) -> None:
        """Read on."""
        self._read_objectives(database)
        ask = "SELECT at, value FROM points WHERE series = ? AND at > ? ORDER BY at"
        for series, (service, said) in self._series(database, _COUNTS):
            place = service, str(said.get("shoal.operation")), str(said.get("shoal.objective"))
            good = said.get("shoal.outcome") == "good"
            last, before = self._last.get(series, (-1, 0.0))  # each replica has a clock of its own
            for at, value in database.ask(ask, (series, last)):
                more = value if value < before else value - before  # it counts from zero when its process began anew
                self._last[series], before = (at, value), value
                if more:
                    self._add(place, at / 1e6, more if good else 0.0, 0.0 if good else more)

    def note(self, unanswered: Iterable[Unanswered]) -> None:
        """Count requests that no replica answered against the availabilities of their operation and service."""
        for each in unanswered:
            for what in (each.operation, each.service):
                if (place := (each.service, what, _AVAILABILITY)) in self.objectives:
                    self._add(place, each.failure.at / 1000, 0.0, 1.0)

    def forget(self, now: float) -> None:
        """Leave what is older than the window of its objective; `now` in seconds since 1970."""
        for place, objective in self.objectives.items():
            counts, since = self._counts.get(place, {}), now - objective.seconds
            for step in [step for step, count in counts.items() if count.at <= since]:
                del counts[step]

    def _add(self, place: Place, at: float, good: float, bad: float) -> None:
        counts, step = self._counts.setdefault(place, {}), int(at // _TOGETHER)
        before = counts.get(step, Count(at, 0.0, 0.0))
        counts[step] = Count(max(before.at, at), before.good + good, before.bad + bad)
        self.until = max(self.until, at)

    def _read_objectives(self, database: Database) -> None:
        ask = "SELECT value FROM points WHERE series = ? ORDER BY at DESC LIMIT 1"
        for series, (service, said) in self._series(database, _TARGET):
            name, window = str(said.get("shoal.objective")), str(said.get("shoal.objective.window"))
            row = database.one(ask, (series,))
            try:
                found = read_objective(name, row[0] if row else 0.0, window)
            except DeclarationError:  # whoever sent it means something else by it
                continue
            self.objectives[service, str(said.get("shoal.operation")), name] = found

    def _series(self, database: Database, name: str) -> Iterator[tuple[int, tuple[str, dict[str, Any]]]]:
        ask = (
            "SELECT s.id, r.service, s.attributes FROM series s JOIN resources r ON r.id = s.resource WHERE s.name = ?"
        )
        for number, service, text in database.ask(ask, (name,)):
            yield number, (service, msgspec.json.decode(text, type=dict[str, Any]))


class Standing:
    """How the objectives of a run stand, for who asks again: each count is read once. Threads may share it."""

    def __init__(self) -> None:
        self._tallies, self._edge, self._turn = Tallies(), Edge(), threading.Lock()

    def read(self, database: Database, *, now: float | None = None) -> Objectives:
        """Say how every objective stands.

        Args:
            database: Of the run, the same each time.
            now: Milliseconds since 1970; when the services told of them last, where nothing is said.
        """
        with self._turn:
            tallies = self._tallies
            tallies.read(database)
            tallies.note(self._edge.read(database, (time.time() if now is None else now / 1000) - LATE))
            seconds = tallies.until if now is None else now / 1000
            tallies.forget(seconds)
            items = [line(place, found, tallies.of(place), seconds) for place, found in tallies.objectives.items()]
        return Objectives(items=sorted(items, key=lambda item: (item.budget_left, item.operation, item.name)))


def objectives(database: Database, *, now: float | None = None) -> Objectives:
    """Say once how every objective of a run stands; `now` as for `Standing.read`."""
    return Standing().read(database, now=now)


def line(place: Place, objective: Objective, counts: list[Count], now: float) -> ObjectiveLine:
    """Say how one stands; `now` in seconds since 1970."""
    good, bad = total(counts, now - objective.seconds)
    return ObjectiveLine(
        service=place[0],
        operation=place[1],
        name=place[2],
        promise=objective.promise,
        goal=objective.goal,
        window=objective.window,
        good=good,
        bad=bad,
        kept=good / (good + bad) if good + bad else None,
        budget_left=round(budget_left(counts, objective, now), 6),
        burns=[_burn(burn) for burn in burns(objective, counts, now)],
    )


def _burn(burn: Burn) -> BurnLine:
    return BurnLine(
        severity=burn.alarm.severity,
        window=burn.alarm.long,
        confirmed=burn.alarm.short,
        limit=burn.alarm.rate,
        rate=round(burn.long, 3),
        confirming=round(burn.short, 3),
        sounding=burn.sounding,
    )
