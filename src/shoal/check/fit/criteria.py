"""When services are worth their price, and when not: each case of the literature as a question with a number.

The cases are those of the reference that `shoal.check.references` follows, six for services and five against. The
numbers of people are its own; the others are ours, and stand here.
"""

from collections.abc import Iterator
from itertools import pairwise

from shoal.check.fit.advice import Criterion
from shoal.check.fit.effects import counted, hop
from shoal.check.fit.evidence import Evidence
from shoal.check.fit.history import Changes
from shoal.check.fit.pairs import COUPLED, SHARED

MANY, FEW = 50, 10
"""People from which services give them room, and below which one process serves them better."""

REACH = 0.33
"""Share of the others that the failure of one may reach; see rule SH107."""

UNEVEN = 10.0
"""Times the work of the median service that the busiest one does."""

ALONE, WEEKLY = 0.7, 1.0
"""Share of the changes that concern one service only, and changes a week."""

LONG = 365
"""Days."""

SIMPLE = 20
"""Handlers of the whole system."""

TIED = 0.33
"""Share of the pairs that call which also change together."""

ROOM = 0.1
"""Share of a promised time that may be spent between services."""


def criteria(evidence: Evidence, changes: Changes | None) -> Iterator[Criterion]:
    """Ask every question, those for services first."""
    yield _boundaries(evidence)
    yield from _people(evidence, changes)
    yield _uneven(evidence)
    yield _engines(evidence)
    yield _independent(evidence, changes)
    yield _lasting(evidence)
    yield _simple(evidence)
    yield Criterion(
        name="tight deadline",
        asks="a date that leaves no time for the infrastructure",
        found="",
        met=None,
        side="one process",
        need="your own answer; what shoal new and shoal deploy write is there already",
    )
    yield _tied(evidence, changes)
    yield _hasty(evidence)


def _boundaries(evidence: Evidence) -> Criterion:
    enough = len(evidence.services) > 1
    return Criterion(
        name="clear boundaries",
        asks=f"the failure of one service reaches at most {REACH:.0%} of the others",
        found=f"{evidence.reach:.0%} of {len(evidence.services)} services" if enough else "",
        met=evidence.reach <= REACH if enough else None,
        need="" if enough else "a second service",
    )


def people(evidence: Evidence, changes: Changes | None) -> tuple[int | None, str]:
    """Return how many people work on it, and who says so."""
    if evidence.team is not None:
        return evidence.team, "as you say"
    if evidence.history is None or changes is None or not changes.people:
        return None, ""
    cut = ", of a history that is cut off" if evidence.history.shallow else ""
    return changes.people, f"authors of {evidence.history.since}{cut}"


def _people(evidence: Evidence, changes: Changes | None) -> Iterator[Criterion]:
    number, source = people(evidence, changes)
    found = "" if number is None else f"{number} ({source})"
    cut = evidence.team is None and evidence.history is not None and evidence.history.shallow
    need = "--team N, or a history of git" if number is None else "--team N, or the whole history" if cut else ""
    large = None if number is None or (cut and number < MANY) else number >= MANY
    small = None if number is None or (cut and number < FEW) else number < FEW
    yield Criterion(
        name="large team", asks=f"at least {MANY} people", found=found, met=large, need=need * (large is None)
    )
    yield Criterion(
        name="small team", asks=f"fewer than {FEW} people", found=found, met=small, side="one process",
        need=need * (small is None),
    )  # fmt: skip


def _uneven(evidence: Evidence) -> Criterion:
    asks = f"the busiest service does {UNEVEN:g} times the work of the median one"
    run = evidence.run
    work = sorted(run.work.get(one.name, 0) for one in evidence.services) if run else []
    if run is None or len(work) < 2 or not work[-1]:
        need = "a run in which the system was asked: shoal run, shoal load"
        return Criterion(name="uneven load", asks=asks, found="", met=None, need=need)
    median = (work[(len(work) - 1) // 2] + work[len(work) // 2]) / 2
    found = f"{work[-1]} against {median:g} requests and events ({run.name})"
    return Criterion(name="uneven load", asks=asks, found=found, met=work[-1] >= UNEVEN * median)


def _engines(evidence: Evidence) -> Criterion:
    engines = sorted({one.engine for one in evidence.services if one.engine})
    return Criterion(
        name="different technology",
        asks="at least 2 kinds of stores",
        found=f"{len(engines)}: {', '.join(engines)}" if engines else "0",
        met=len(engines) >= 2,
    )


def _independent(evidence: Evidence, changes: Changes | None) -> Criterion:
    asks = f"at least {ALONE:.0%} of the changes concern one service, {WEEKLY:g} or more a week"
    missing = [one.name for one in evidence.services if not one.home]
    if evidence.history is None or changes is None or not changes.commits or missing:
        need = f"files that are of one service alone: {', '.join(missing)}" if missing else "a history of git"
        if evidence.history is not None and not missing:
            need = "commits of services in this time: a longer --since"
        return Criterion(name="independent changes", asks=asks, found="", met=None, need=need)
    weekly = changes.alone / evidence.history.days * 7
    share = changes.alone / changes.commits
    return Criterion(
        name="independent changes",
        asks=asks,
        found=f"{share:.0%} of {changes.commits}, {weekly:.1f} a week",
        met=None if evidence.history.shallow else share >= ALONE and weekly >= WEEKLY,
        need="the whole history: git fetch --unshallow" if evidence.history.shallow else "",
    )


def _lasting(evidence: Evidence) -> Criterion:
    age = evidence.history.age if evidence.history else None
    return Criterion(
        name="long life",
        asks=f"changed for {LONG} days or more",
        found="" if age is None else counted(age, "day"),
        met=None if age is None else age >= LONG,
        need="the whole history of git" if age is None else "",
    )


def _simple(evidence: Evidence) -> Criterion:
    handlers = sum(one.handlers for one in evidence.services)
    return Criterion(
        name="simple application",
        asks=f"fewer than {SIMPLE} operations, events, steps and schedules",
        found=str(handlers),
        met=handlers < SIMPLE,
        side="one process",
    )


def _tied(evidence: Evidence, changes: Changes | None) -> Criterion:
    asks = f"more than {TIED:.0%} of the pairs that call also change together"
    pairs = [(pair.caller, pair.callee) for pair in evidence.pairs]
    known = [pair for pair in pairs if changes is not None and all(changes.touched.get(name) for name in pair)]
    cut = evidence.history is not None and evidence.history.shallow
    if changes is None or cut or (pairs and not known):
        need = "the whole history of git, with commits of two services that call"
        return Criterion(name="tied data", asks=asks, found="", met=None, side="one process", need=need)
    tied = [p for p in known if changes.shared(*p) >= SHARED and changes.coupling(*p) >= COUPLED]
    found = f"{len(tied)} of {len(known)}" + (
        f" ({len(pairs) - len(known)} unknown)" if len(known) < len(pairs) else ""
    )
    return Criterion(name="tied data", asks=asks, found=found, met=len(tied) > TIED * len(known), side="one process")


def _hasty(evidence: Evidence) -> Criterion:
    asks = f"calls between services take more than {ROOM:.0%} of the strictest promised time"
    if evidence.latency is None:
        need = "a promise: Objective(latency=0.3)"
        return Criterion(name="little time", asks=asks, found="", met=None, side="one process", need=need)
    chain = evidence.chain
    seconds, source = hop(evidence, list(pairwise(chain)))
    calls = counted(max(0, len(chain) - 1), "call")
    told = f" {source}" if len(chain) > 1 else ""
    return Criterion(
        name="little time",
        asks=asks,
        found=f"{calls}, {seconds * 1000:.2g} ms of {evidence.latency * 1000:g} ms{told}",
        met=seconds > ROOM * evidence.latency,
        side="one process",
    )
