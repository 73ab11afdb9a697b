"""Evidence from a run: how much services do, and how often they ask each other."""

from shoal.check.fit.evidence import Measured, Run
from shoal.check.graph import LENT
from shoal.check.observed import Observed, SeenCall, SeenOperation


def measured(observed: Observed) -> Run:
    """Sum up a run by service and by pair."""
    work: dict[str, int] = {}
    for one in observed.operations:
        if not one.endpoint.startswith(LENT):
            work[one.service] = work.get(one.service, 0) + one.count
    for event in observed.events:
        if event.consumer:
            work[event.consumer] = work.get(event.consumer, 0) + event.count
    pairs: dict[tuple[str, str], list[SeenCall]] = {}
    for call in observed.calls:
        if call.caller != call.callee and not call.endpoint.startswith(LENT):
            pairs.setdefault((call.caller, call.callee), []).append(call)
    answered = {(one.service, one.endpoint): one for one in observed.operations}
    return Run(
        name=observed.run,
        work=work,
        pairs={
            (caller, callee): Measured(
                calls=sum(call.count for call in calls),
                work=work.get(caller, 0),
                most=max(call.most for call in calls),
                hop=_hop(calls, answered),
            )
            for (caller, callee), calls in pairs.items()
        },
    )


def _hop(calls: list[SeenCall], answered: dict[tuple[str, str], SeenOperation]) -> float | None:
    """Average over calls, by their counts, what the caller waited beyond what the callee took."""
    known = [(call, answered.get((call.callee, call.endpoint))) for call in calls]
    both = [(call.count, max(0.0, call.p50 - own.p50)) for call, own in known if own is not None and call.count]
    count = sum(number for number, _ in both)
    return sum(number * seconds for number, seconds in both) / count if count else None
