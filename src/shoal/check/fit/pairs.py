"""Which two services are one: they wait for each other, talk much, change together, and the same people change them."""

from collections.abc import Iterator

from shoal.check.fit.advice import Criterion, Merge
from shoal.check.fit.effects import counted, merged
from shoal.check.fit.evidence import Evidence, Pair
from shoal.check.fit.history import Changes

EACH, MOST, PLACES = 1.0, 10, 3
"""Calls for each piece of work, and within one, from which a pair talks much; places in the source, where nobody
measured. The latter two are those of rule SH103."""

SHARED, COUPLED = 5, 0.3
"""Commits that touch both, and the degree of coupling, from which two change together; the least that code-maat, the
tool of the book named in `history`, reports."""

SAME = 0.5
"""Share of the authors of either who change both."""

_RANK = {"merge": 0, "unknown": 1, "apart": 2}


def merges(evidence: Evidence, changes: Changes | None) -> tuple[Merge, ...]:
    """Judge every pair that calls; those to merge come first, then those of which too little is known."""
    found = [_judged(evidence, pair, changes) for pair in evidence.pairs]
    return tuple(sorted(found, key=lambda one: (_RANK[one.verdict], one.caller, one.callee)))


def _judged(evidence: Evidence, pair: Pair, changes: Changes | None) -> Merge:
    criteria = tuple(_criteria(evidence, pair, changes))
    answers = [one.met for one in criteria]
    return Merge(
        caller=pair.caller,
        callee=pair.callee,
        verdict="apart" if False in answers else "unknown" if None in answers else "merge",
        criteria=criteria,
        effect=merged(evidence, pair),
        where=pair.where,
    )


def _criteria(evidence: Evidence, pair: Pair, changes: Changes | None) -> Iterator[Criterion]:
    places = counted(pair.places, "place")
    yield Criterion(
        name="synchronous",
        asks="a call without a stand-in",
        found=f"calls at {places}" if pair.required else f"calls at {places}, all stood in for",
        met=pair.required,
        side="one process",
    )
    yield _chatty(evidence, pair)
    yield from coupled(evidence, pair.caller, pair.callee, changes)


def _chatty(evidence: Evidence, pair: Pair) -> Criterion:
    seen = evidence.run.pairs.get((pair.caller, pair.callee)) if evidence.run else None
    if evidence.run is not None and evidence.run.work.get(pair.caller):
        work = evidence.run.work[pair.caller]
        calls, most = (seen.calls, seen.most) if seen else (0, 0)
        return Criterion(
            name="chatty",
            asks=f"at least {EACH:g} calls for each piece of work, or more than {MOST} in one",
            found=f"{calls / work:.2f} calls each, at most {most} ({calls} calls, {work} pieces, {evidence.run.name})",
            met=calls / work >= EACH or most > MOST,
            side="one process",
        )
    return Criterion(
        name="chatty",
        asks=f"a call in a loop, or at more than {PLACES} places (not measured)",
        found=f"{pair.looped} in loops, {counted(pair.places, 'place')}",
        met=True if pair.looped or pair.places > PLACES else None,
        side="one process",
        need=f"a run in which {pair.caller} was asked: shoal run, shoal load",
    )


def coupled(evidence: Evidence, one: str, other: str, changes: Changes | None) -> Iterator[Criterion]:
    """Say whether two services change together, and by the same people."""
    asks = f"at least {SHARED} commits touch both, and coupling is at least {COUPLED:.0%}"
    same = f"at least {SAME:.0%} of the authors of either change both"
    missing = _missing(one, other, changes)
    if missing or changes is None or evidence.history is None:
        yield Criterion(name="changed together", asks=asks, found="", met=None, side="one process", need=missing)
        yield Criterion(name="same authors", asks=same, found="", met=None, side="one process", need=missing)
        return
    shared, degree = changes.shared(one, other), changes.coupling(one, other)
    few = evidence.history.shallow and shared < SHARED
    yield Criterion(
        name="changed together",
        asks=asks,
        found=f"{counted(shared, 'commit')}, coupling {degree:.0%}",
        met=None if few else shared >= SHARED and degree >= COUPLED,
        side="one process",
        need="the whole history: git fetch --unshallow" if few else "",
    )
    ours, theirs = changes.authors[one], changes.authors[other]
    share = len(ours & theirs) / len(ours | theirs)
    found = f"{len(ours & theirs)} of {len(ours | theirs)}"
    yield Criterion(name="same authors", asks=same, found=found, met=share >= SAME, side="one process")


def _missing(one: str, other: str, changes: Changes | None) -> str:
    if changes is None:
        return "a history of git"
    for name in (one, other):
        if name not in changes.authors:
            return f"files that are {name}'s alone: give it a folder or a module of its own"
        if not changes.authors[name]:
            return f"commits of {name} in this time: a longer --since"
    return ""
