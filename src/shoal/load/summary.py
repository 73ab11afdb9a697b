"""From what was counted to a result, and whether it may be believed."""

import datetime as dt
from typing import Any

import msgspec

from shoal.load.histogram import Times
from shoal.load.recorder import Recorder, Series
from shoal.load.result import Problem, Result, Row
from shoal.load.runner import Order, Run, clock
from shoal.load.schedule import expected

LATE = 10.0
"""Milliseconds that the generator may be late, whatever it measures."""
SHARE = 0.1
"""Part of what is measured that its own lateness may be."""


def summary(run: Run[Any], *, load: str, target: str) -> Result:
    """Sum up a run, also while it goes on."""
    now = clock()
    seconds = max((run.last or now) - run.began, 1e-9) if run.began else 1e-9
    elapsed = max((run.ended or now) - run.began, seconds) if run.began else seconds
    recorder, order = run.recorder, run.order
    total = recorder.total()
    lateness = recorder.lateness
    began = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=now - run.began if run.began else 0.0)
    return Result(
        load=load,
        target=target,
        began=began.isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        elapsed=round(elapsed, 3),
        rate=order.rate,
        ramp=order.ramp,
        seed=order.seed,
        doubts=doubts(recorder, lateness, total.corrected),
        notes=_notes(recorder, order),
        lateness=lateness.latency(),
        total=total.row("all", total.due / elapsed, total.ended / elapsed),
        journeys=_journeys(run, seconds),
        ends={name: tally.ends() for name, tally in recorder.tallies.items()},
        operations=tuple(
            series.row(name, series.due / elapsed, series.ended / elapsed)
            for name, series in sorted(recorder.operations.items())
        ),
        problems=tuple(
            Problem(operation=operation, kind=kind, count=count, trace=recorder.traces[operation, kind])
            for (operation, kind), count in recorder.problems.most_common()
        ),
    )


def doubts(recorder: Recorder, lateness: Times, measured: Times) -> tuple[str, ...]:
    """Say why a run is about the generator rather than about the system."""
    found = []
    late, allowed = lateness.at(99)[0], max(LATE, SHARE * measured.at(99)[0])
    if late > allowed:
        found.append(f"the generator was late: 1 of 100 times by more than {late:.0f} ms, of {allowed:.0f} ms allowed")
    if away := sum(tally.turned_away for tally in recorder.tallies.values()):
        found.append(f"{away} visitors were turned away by the generator, which had as many as it may (--visitors)")
    if broken := sum(tally.broken for tally in recorder.tallies.values()):
        found.append(f"{broken} journeys ended by an error of their own, the first one: {recorder.broken}")
    return tuple(found)


def _notes(recorder: Recorder, order: Order) -> tuple[str, ...]:
    found = []
    if recorder.queued:
        found.append(
            f"{recorder.queued} requests waited, since {order.at_most} were under way (--at-most);"
            " that counts as corrected latency"
        )
    if cut := sum(tally.cut for tally in recorder.tallies.values()):
        found.append(f"{cut} visitors were still there at the end and were cut off")
    return tuple(found)


def _journeys(run: Run[Any], seconds: float) -> tuple[Row, ...]:
    asked = expected(seconds, run.order.rate, run.order.ramp) / seconds
    return tuple(
        run.recorder.journeys[journey.name].row(
            journey.name, asked * run.load.share(journey), run.recorder.tallies[journey.name].begun / seconds
        )
        for journey in run.load.journeys
    )


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """How one journey, or all of them, goes so far."""

    name: str
    begun: int
    requests: int
    p50: float
    """Milliseconds, corrected."""
    p99: float
    refused: int
    failed: int


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """What can be shown while a run goes on, without holding it up."""

    seconds: float
    present: int
    parts: tuple[Part, ...]
    """All first, then each journey."""


def glance(run: Run[Any]) -> Glance:
    """Look at a run that goes on."""
    recorder, whole = run.recorder, Series()
    parts = []
    for journey in run.load.journeys:
        series = recorder.journeys[journey.name]
        whole.add(series)
        parts.append(_part(journey.name, series, recorder.tallies[journey.name].begun))
    every = _part("all", whole, sum(part.begun for part in parts))
    seconds = clock() - run.began if run.began else 0.0
    return Glance(seconds=seconds, present=run.present, parts=(every, *parts))


def _part(name: str, series: Series, begun: int) -> Part:
    p50, p99 = series.corrected.at(50, 99)
    refused, failed = series.refused.total(), series.failed.total()
    return Part(name=name, begun=begun, requests=series.due, p50=p50, p99=p99, refused=refused, failed=failed)
