"""What to do about a schedule at a given time: pure."""

from datetime import datetime, timedelta

import msgspec

from shoal.model.due import Rule, following, latest, pending
from shoal.model.schedule import Missed
from shoal.runtime.schedules.rows import State

GRACE = timedelta(minutes=1)
"""How late a run may begin that is skipped when it is missed."""

MOST = 100
"""Due times that are caught up with."""

AHEAD = timedelta(minutes=10)
"""How far clocks of replicas may be apart. Where more was settled in advance, the clock was wrong and is set back."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Run the handler for a due time."""

    due: datetime
    previous: datetime | None
    attempt: int
    abandoned: datetime | None = None
    """A due time that failed so far, and that this one takes the place of."""


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """Do nothing until a time."""

    until: datetime


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """Count from the present: the clock had run ahead."""


def decide(rule: Rule, missed: Missed, state: State, now: datetime) -> Run | Rest | Restart:
    """Say what to do now."""
    if state.settled - now > AHEAD:
        return Restart()
    due = _target(rule, missed, state, now)
    if due is None:
        return Rest(until=following(rule, now))
    tried = state.due == due
    if tried and state.retry_at is not None and state.retry_at > now:
        return Rest(until=min(state.retry_at, following(rule, now)))
    return Run(
        due=due,
        previous=state.settled if state.outcome else None,
        attempt=state.attempts + 1 if tried else 1,
        abandoned=state.due if state.attempts and not tried else None,
    )


def _target(rule: Rule, missed: Missed, state: State, now: datetime) -> datetime | None:
    asked = state.asked if state.asked is not None and state.settled < state.asked <= now else None
    if missed == "all":
        waiting = pending(rule, state.settled, now, MOST)
        return min([*waiting, *([asked] if asked else [])], default=None)
    last = latest(rule, now)
    due = max(last, asked) if asked else last
    if due <= state.settled:
        return None
    is_late = missed == "skip" and now - due > GRACE and state.due != due
    return None if is_late else due
