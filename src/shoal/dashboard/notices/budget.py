"""Rule: the error budget of an objective burns too fast. Pure."""

from collections.abc import Iterator

from shoal.dashboard.notices.ledger import PRECEDENCE, Finding
from shoal.dashboard.notices.standing import Place
from shoal.model.burning import Burn, Count, budget_left, burns
from shoal.model.objectives import Objective

_SPANS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def burning(place: Place, objective: Objective, counts: list[Count], now: float) -> Iterator[Finding]:
    """Find what sounds of one objective: the worst alarm, since the others say less of the same.

    Args:
        place: Whose it is.
        objective: What is promised.
        counts: What happened.
        now: In seconds since 1970.
    """
    sounding = [burn for burn in burns(objective, counts, now) if burn.sounding]
    if not sounding:
        return
    worst = min(sounding, key=lambda burn: (PRECEDENCE[burn.alarm.severity], -burn.long))
    service, operation, name = place
    yield Finding(
        rule="budget",
        key=f"{operation} {name}",
        service=service,
        severity=worst.alarm.severity,
        text=_text(operation, objective, worst, budget_left(counts, objective, now)),
        traces=_traces(service, operation, objective),
    )


def _text(operation: str, objective: Objective, burn: Burn, left: float) -> str:
    kept = f"{left * 100:.0f} % of it is left" if left > 0 else "nothing of it is left"
    return (
        f"{operation} breaks its promise of {objective.promise}: {burn.bad:g} requests were bad within "
        f"{span(burn.alarm.long)}, so the error budget burns {burn.long:.1f} times too fast "
        f"({burn.short:.1f} within {span(burn.alarm.short)}; alarm at {burn.alarm.rate:.3g}); {kept}"
    )


def _traces(service: str, operation: str, objective: Objective) -> dict[str, str]:
    found = {"service": service}
    if operation != service:
        found["attribute"] = f"shoal.operation={operation}"
    return found | ({"min_ms": f"{objective.latency * 1000:g}"} if objective.latency else {"errors": "true"})


def span(seconds: float) -> str:
    """Write a span of time: ``1 h``, ``5 min``."""
    size, unit = next((each for each in _SPANS if seconds >= each[0]), _SPANS[-1])
    return f"{seconds / size:.3g} {unit}"
