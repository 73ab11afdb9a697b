"""How a saga goes on after what happened: pure, and told the time.

::

    running ──all done──────────────► completed
       │ └──cannot go back or on──► parked ──retry──► running or compensating
       └──a step failed──► compensating ──all undone──► compensated
                                └──cannot be undone──► parked
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from shoal.model.saga import Saga, Step
from shoal.runtime.failures import pause
from shoal.runtime.sagas.instances import Entry, Instance, Outcome

LONGEST_BACKOFF = 60.0
"""Seconds."""

KEPT = timedelta(days=30)
"""How long a saga that has ended is remembered, and its key taken."""


Kind = Literal["refused", "rejected", "away", "failed"]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What was wrong with an attempt."""

    kind: Kind
    """The step says that it did not happen and never will; a service rejects what it asks, so that trying again is
    useless; something that it needs cannot be reached; anything else."""
    text: str
    jitter: float = 1.0
    """Share of the backoff's second half that is waited, from 0 to 1."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A saga as it is from now on, and the entry for its journal."""

    after: Instance
    entry: Entry


def succeeded(saga: Saga, before: Instance, state: str, began: datetime, now: datetime) -> Change:
    """Go on after a step, or a compensation, was done."""
    fresh = {"state": state, "attempt": 0, "tries": 0, "due": now}
    if before.direction == "backward":
        after = _back(msgspec.structs.replace(before, done=before.done[:-1], **fresh), now)
    else:
        done = (*before.done, before.step)
        after = msgspec.structs.replace(before, done=done, error="", **fresh)
        following = _after(saga, before.step)
        if following is None:
            after = _ended(msgspec.structs.replace(after, status="completed"), now)
        else:
            after = msgspec.structs.replace(after, step=following.name)
            if now >= before.deadline and _can_return(saga, after):
                after = _turned(saga, after, now, _late(saga), is_begun=False)
    return _change(before, after, "done", began, now)


def failed(saga: Saga, before: Instance, failure: Failure, began: datetime, now: datetime) -> Change:
    """Wait and try again, turn back or park, after an attempt failed."""
    step = saga.step(before.step)
    counts = failure.kind == "failed" or (failure.kind == "away" and now >= before.deadline)
    attempt = before.attempt + counts
    tried = msgspec.structs.replace(before, attempt=attempt, tries=before.tries + 1, error=failure.text)
    most = step.attempts if step is not None else 1
    if failure.kind in ("away", "failed") and attempt < most:
        after = msgspec.structs.replace(tried, due=now + _delay(step, tried, failure.jitter))
    elif _may_turn(saga, before, step, failure):
        after = _turned(saga, tried, now, failure.text, is_begun=True)
    else:
        after = msgspec.structs.replace(tried, status="parked", due=None)
    return _change(before, after, failure.kind, began, now, failure.text)


def is_overdue(saga: Saga, instance: Instance, now: datetime) -> bool:
    """Tell whether a saga must turn back because its time is up.

    It does where it surely can: not when it may have passed its point of no return just before a crash.
    """
    step = saga.step(instance.step)
    if instance.direction == "backward" or now < instance.deadline or step is None:
        return False
    return step.kind == "compensatable" or (step.kind == "pivot" and step.contained)


def expired(saga: Saga, before: Instance, now: datetime) -> Change:
    """Turn back because the time is up."""
    return _change(before, _turned(saga, before, now, _late(saga), is_begun=True), "overdue", now, now, _late(saga))


def retried(saga: Saga, before: Instance, now: datetime) -> Change:
    """Go on with a parked saga, with all its attempts and all its time again."""
    after = msgspec.structs.replace(
        before,
        status="running" if before.direction == "forward" else "compensating",
        attempt=0,
        tries=0,
        due=now,
        deadline=now + timedelta(seconds=saga.timeout),
    )
    return _change(before, after, "asked", now, now)


def undone(saga: Saga, before: Instance, now: datetime) -> Change:
    """Turn back because somebody asks for it; see `why_not_undone`."""
    return _change(before, _turned(saga, before, now, "an operator asked for it", is_begun=True), "asked", now, now)


def why_not_undone(saga: Saga, instance: Instance) -> str:
    """Say why a saga cannot be turned back; empty when it can."""
    if not instance.is_active and instance.status != "parked":
        return f"it has ended: {instance.status}"
    if instance.direction == "backward":
        return "it is being undone already"
    passed = [step for step in map(saga.step, instance.done) if step is not None and step.kind != "compensatable"]
    if passed:
        return f"its {passed[0].kind} step {passed[0].name} is done, from where there is no way back"
    step = saga.step(instance.step)
    if step is not None and step.kind == "retriable":
        return f"it has done everything that could be undone, and only goes on from its step {step.name}"
    if step is not None and step.kind == "pivot" and instance.is_active and not step.contained:
        return f"its pivot {step.name} may be happening right now"
    return ""


def may_have_happened(saga: Saga, instance: Instance) -> str:
    """Name the pivot of a parked saga of which nobody knows whether it happened; empty when there is none."""
    step = saga.step(instance.step)
    is_open = step is not None and step.kind == "pivot" and not step.contained and instance.direction == "forward"
    return step.name if step is not None and is_open else ""


def _may_turn(saga: Saga, before: Instance, step: Step | None, failure: Failure) -> bool:
    """Tell whether a saga can go back after its last attempt; its pivot must not have happened."""
    if before.direction == "backward" or step is None or not _can_return(saga, before):
        return False
    return step.kind == "compensatable" or step.contained or failure.kind == "refused"


def _can_return(saga: Saga, instance: Instance) -> bool:
    """Tell whether everything that was done can be undone, and the next step is not beyond that."""
    step = saga.step(instance.step)
    passed = any(known is None or known.kind != "compensatable" for known in map(saga.step, instance.done))
    return step is not None and step.kind != "retriable" and not passed


def _turned(saga: Saga, before: Instance, now: datetime, reason: str, *, is_begun: bool) -> Instance:
    """Go back. The step in hand is undone too when it may have happened outside of its transaction."""
    step = saga.step(before.step)
    open_ended = is_begun and step is not None and step.kind == "compensatable" and not step.contained
    turned = msgspec.structs.replace(
        before,
        status="compensating",
        direction="backward",
        done=(*before.done, before.step) if open_ended else before.done,
        attempt=0,
        tries=0,
        due=now,
        deadline=now + timedelta(seconds=saga.timeout),
        error=reason,
    )
    return _back(turned, now)


def _back(instance: Instance, now: datetime) -> Instance:
    """Undo the last of what is left, or end."""
    if instance.done:
        return msgspec.structs.replace(instance, step=instance.done[-1])
    return _ended(msgspec.structs.replace(instance, status="compensated"), now)


def _ended(instance: Instance, now: datetime) -> Instance:
    return msgspec.structs.replace(instance, step="", due=now + KEPT)


def _after(saga: Saga, name: str) -> Step | None:
    """Find the step after the one of that name."""
    names = [step.name for step in saga.steps]
    position = names.index(name) + 1
    return saga.steps[position] if position < len(names) else None


def _delay(step: Step | None, tried: Instance, jitter: float) -> timedelta:
    backoff = step.backoff if step is not None else 1.0
    return timedelta(seconds=pause(backoff, tried.tries, most=LONGEST_BACKOFF, jitter=jitter))


def _late(saga: Saga) -> str:
    return f"it took longer than its {saga.timeout:g} s"


def _change(
    before: Instance, after: Instance, outcome: Outcome, began: datetime, now: datetime, error: str = ""
) -> Change:
    number = before.version + 1
    entry = Entry(
        saga=before.id,
        number=number,
        step=before.step,
        direction=before.direction,
        attempt=before.tries + 1,
        outcome=outcome,
        status=after.status,
        started=began,
        ended=now,
        error=error,
        before=before.state if after.state != before.state else None,
    )
    return Change(after=msgspec.structs.replace(after, version=number, updated=now), entry=entry)
