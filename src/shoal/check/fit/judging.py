"""The answer: one process or services, which to merge, which to split."""

from collections.abc import Iterator

from shoal.check.fit.advice import Advice, Criterion, Verdict, Whole
from shoal.check.fit.criteria import criteria
from shoal.check.fit.effects import counted, together
from shoal.check.fit.evidence import Evidence
from shoal.check.fit.history import SWEEPING, Changes, changes
from shoal.check.fit.pairs import merges
from shoal.check.fit.splits import splits

ENOUGH = 6
"""Criteria, of eleven, below which nothing is concluded."""


def advise(evidence: Evidence) -> Advice:
    """Answer from what is known."""
    found = changes(evidence)
    return Advice(
        system=evidence.system,
        whole=_whole(evidence, tuple(criteria(evidence, found))),
        merges=merges(evidence, found),
        splits=splits(evidence),
        told=tuple(_told(evidence, found)),
    )


def _whole(evidence: Evidence, asked: tuple[Criterion, ...]) -> Whole:
    """Weigh what is met on either side against what is known of it.

    Services have a price, so they are justified only where at least half of what is known for them is met, and less
    than half of what is known against them. Where less is met for them and anything against them, one process will do.
    """
    known = [one for one in asked if one.met is not None]
    pro, con = ([one.met for one in known if one.side == side] for side in ("services", "one process"))
    counts = (
        f"{sum(map(bool, pro))} of {len(pro)} criteria speak for services, {sum(map(bool, con))} of {len(con)} for one"
        f" process, {len(asked) - len(known)} are unknown"
    )
    worth, dear = _half(pro), _half(con)
    verdict: Verdict = "balanced"
    if len(evidence.services) < 2:
        verdict = "one process"
    elif len(known) < ENOUGH:
        verdict = "unknown"
    elif worth and not dear:
        verdict = "services"
    elif not worth and any(con):
        verdict = "one process"
    says = f"{_SAYS[verdict]}: {counts}" if len(evidence.services) > 1 else "there is one service, which is one process"
    return Whole(verdict=verdict, says=says, criteria=asked, effect=together(evidence))


_SAYS: dict[Verdict, str] = {
    "one process": "one process suffices (the code stays as it is: shoal run --one-process)",
    "services": "services are justified",
    "balanced": "it could be either",
    "unknown": "too little is known",
}


def _half(answers: list[bool | None]) -> bool:
    return bool(answers) and sum(map(bool, answers)) * 2 >= len(answers)


def _told(evidence: Evidence, found: Changes | None) -> Iterator[str]:
    history, run, money = evidence.history, evidence.run, evidence.money
    if history is None or found is None:
        yield "not asked: who changes what, and what changes together (no history of git)"
    else:
        count = counted(len(history.commits), "commit")
        said = f"git: {count} of {history.since}, {found.commits} of them of services"
        sweeping = f"; {found.swept} of more than {SWEEPING} files say nothing about what belongs together"
        yield said + sweeping * bool(found.swept)
        if history.shallow:
            yield "git: earlier commits are cut off here, so counts are too low: git fetch --unshallow"
        if homeless := [one.name for one in evidence.services if not one.home]:
            yield f"git: no file is of {', '.join(homeless)} alone, so changes cannot be told apart"
    if run is None:
        yield "not asked: how much services talk (no run was recorded: shoal run, shoal load)"
    else:
        ours = {one.name for one in evidence.services}
        calls = sum(pair.calls for ends, pair in run.pairs.items() if ours.issuperset(ends))
        yield f"{run.name}: {sum(run.work.values())} requests and events, {counted(calls, 'call')} between services"
    if money is None:
        yield "not asked: what it costs (no place was named: --target aws --region eu-central-1)"
    for one in evidence.services:
        if one.unread:
            told = f"{one.unread} of its handlers keep what cannot be read"
            yield f"not asked: whether {one.name} is to be split ({told})"
