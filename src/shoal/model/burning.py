"""How fast the error budget of an objective burns, and when somebody should hear of it. Pure.

Burn rate 1 uses up the budget just at the end of the window; 14.4 in a fiftieth of it. The alarms are those of the SRE
workbook, chapter 5 ("Alerting on SLOs", "6: Multiwindow, Multi-Burn-Rate Alerts"): a long window that shows that it
matters and a short one, a twelfth of it, that shows that it goes on.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from shoal.model.objectives import Objective

Severity = Literal["page", "ticket"]
"""Whether somebody should be woken, or look at it within days."""

SHORTER = 12.0
"""A short window is so many times shorter than the long one beside it."""

LEAST = 3
"""Bad requests within the long window below which nothing is said: of few requests, one is a large share."""

MONTH = 30 * 86_400.0
"""The window for which the workbook's table is made; others scale it."""


class Alarm(NamedTuple):
    """When to tell: both windows burn at least so fast."""

    severity: Severity
    long: float
    """Seconds."""
    short: float
    rate: float


class Count(NamedTuple):
    """What happened until a moment, since the count before it."""

    at: float
    """Seconds since 1970."""
    good: float
    bad: float


class Burn(NamedTuple):
    """How one alarm stands."""

    alarm: Alarm
    long: float
    """Burn rate over its long window."""
    short: float
    bad: float
    """Bad requests within the long window."""
    sounding: bool


_TABLE: tuple[tuple[Severity, float, float], ...] = (
    ("page", 3600.0, 0.02),
    ("page", 6 * 3600.0, 0.05),
    ("ticket", 3 * 86_400.0, 0.10),
)
"""Severity, long window for a month, and share of the budget that may be used up in it (workbook, table 5-8)."""


def alarms(objective: Objective) -> tuple[Alarm, ...]:
    """Return the alarms of an objective: over 1 h, 6 h and 3 d at rates 14.4, 6 and 1 where its window is a month."""
    scale = objective.seconds / MONTH
    return tuple(
        Alarm(severity, long * scale, long * scale / SHORTER, share * MONTH / long) for severity, long, share in _TABLE
    )


def burn_rate(counts: Iterable[Count], since: float, goal: float) -> float:
    """Return how many times faster than allowed errors came since a moment; 0 where nothing happened.

    Args:
        counts: What happened.
        since: In seconds since 1970; counts that end at it or before are left out.
        goal: Share that must be good.
    """
    good, bad = total(counts, since)
    return bad / (good + bad) / (1 - goal) if good + bad else 0.0


def total(counts: Iterable[Count], since: float) -> tuple[float, float]:
    """Add up the good and the bad after a moment."""
    within = [count for count in counts if count.at > since]
    return sum(count.good for count in within), sum(count.bad for count in within)


def budget_left(counts: Iterable[Count], objective: Objective, now: float) -> float:
    """Return the share of the error budget that is left: 1 at first, 0 when it is used up, less when it is overdrawn.

    The budget is of the requests that came within the window so far.
    """
    return 1.0 - burn_rate(counts, now - objective.seconds, objective.goal)


def burns(objective: Objective, counts: Sequence[Count], now: float) -> tuple[Burn, ...]:
    """Look at every alarm of an objective.

    Windows that reach beyond what was counted hold what there is, so a run of minutes is judged by its minutes.
    """
    wanted = alarms(objective)
    recent = [count for count in counts if count.at > now - max(alarm.long for alarm in wanted)]
    return tuple(_burn(alarm, objective.goal, recent, now) for alarm in wanted)


def _burn(alarm: Alarm, goal: float, counts: Sequence[Count], now: float) -> Burn:
    long, short = (burn_rate(counts, now - seconds, goal) for seconds in (alarm.long, alarm.short))
    _, bad = total(counts, now - alarm.long)
    sounding = bad >= LEAST and long >= alarm.rate and short >= alarm.rate
    return Burn(alarm, long, short, bad, sounding)
