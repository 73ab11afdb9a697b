"""One attempt of one run: the handler's changes and the settled due time commit together, or neither."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta, tzinfo
from typing import Any

import msgspec

from shoal.drivers.base import Session
from shoal.errors import EngineError
from shoal.model.service import Policy
from shoal.runtime.deadline import Budget
from shoal.runtime.failures import is_outage, pause, spell
from shoal.runtime.inject import Plan
from shoal.runtime.metrics.registry import Series
from shoal.runtime.recording import closed, opened
from shoal.runtime.request import Request
from shoal.runtime.schedules.decide import Run
from shoal.runtime.schedules.rows import SCHEDULES, State, finished, from_row, to_row
from shoal.runtime.side import Around
from shoal.runtime.trace import Context, Trace, begin, current
from shoal.runtime.transaction import UnitOfWork
from shoal.service.schedules import Tick
from shoal.telemetry import conventions as names
from shoal.telemetry.spans import INTERNAL

LONGEST_BACKOFF = 60.0

_TABLE = SCHEDULES.table
_log = logging.getLogger("shoal.schedules")


class Outrun(Exception):
    """Another replica settled this due time meanwhile: nothing of what was done here is kept."""


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule, ready to run."""

    name: str
    handler: Callable[..., Awaitable[Any]]
    plan: Plan
    policy: Policy
    zone: tzinfo
    series: Series


async def attempt(around: Around, schedule: Compiled, state: State, run: Run) -> None:
    """Run the handler once and keep what became of it; needs a task of its own."""
    started, (trace, span) = time.perf_counter(), opened(begin(), INTERNAL, f"run {schedule.name}")
    current.set(Context(trace, Budget(schedule.policy.timeout), span=span))
    failure: BaseException | None = None
    if run.abandoned is not None:
        _log.error("%s: the run due %s did not succeed before the next was due", schedule.name, run.abandoned)
        schedule.series.observe("abandoned", 0.0)
    try:
        await _apply(around, schedule, state, run)
    except Outrun:
        outcome = "lost"
    except Exception as error:  # noqa: BLE001 - the border: a handler may raise anything
        failure = error
        outcome = await _failed(around, schedule, state, run, error)
    else:
        outcome = "ok"
    finally:
        if span is not None:
            span.attributes = {names.SCHEDULE: schedule.name, names.ATTEMPT: run.attempt}
        closed(span, failure)
    seconds = time.perf_counter() - started
    schedule.series.observe(outcome, seconds, trace)
    _account(around, schedule, run, trace, outcome, seconds)


async def _apply(around: Around, schedule: Compiled, state: State, run: Run) -> None:
    context = current.get()
    if context is None:
        raise RuntimeError("unreachable: set by the caller")
    request = Request({"path": "", "query_string": b""}, {}, (), context)
    previous = None if run.previous is None else run.previous.astimezone(schedule.zone)
    request.body = Tick(
        schedule=schedule.name, due=run.due.astimezone(schedule.zone), previous=previous, attempt=run.attempt
    )
    async with asyncio.timeout(schedule.policy.timeout), around.store.session() as session:
        unit = UnitOfWork(session, around.announcer)
        request.transaction = unit
        await schedule.handler(**schedule.plan.arguments(request))
        now = await _still(session, state)
        session.put(_TABLE, to_row(finished(now, run.due, "done", around.clock.now())))
    unit.committed(around.poke)


async def _still(session: Session, state: State) -> State:
    """Hold the schedule's row until the commit; raise `Outrun` when it is not where the run began."""
    row = await session.get(_TABLE, state.name, lock=True)
    now = None if row is None else from_row(row)
    if now is None or now.settled != state.settled:
        raise Outrun
    return now


async def _failed(around: Around, schedule: Compiled, state: State, run: Run, error: Exception) -> str:
    """Note a failure, and when to try again; what is absent uses up no attempt."""
    outage = is_outage(error)
    spent = run.attempt if not outage else run.attempt - 1
    before = state.outages or 0 if state.due == run.due else 0
    outages = before + 1 if outage else 0
    given_up = spent >= schedule.policy.attempts
    if given_up:
        _log.error("%s: the run due %s failed for good: %r", schedule.name, run.due, error, exc_info=error)
    else:
        trouble = error if run.attempt == 1 and not outage else None
        most = "any number" if outage else schedule.policy.attempts
        _log.warning("%s failed, attempt %d of %s: %r", schedule.name, run.attempt, most, error, exc_info=trouble)
    now, delay = around.clock.now(), pause(schedule.policy.backoff, spent + outages, most=LONGEST_BACKOFF)
    try:
        async with around.store.session() as session:
            failed = msgspec.structs.replace(
                await _still(session, state),
                error=spell(error),
                due=run.due,
                attempts=spent,
                outages=outages,
                retry_at=now + timedelta(seconds=delay),
            )
            session.put(_TABLE, to_row(finished(failed, run.due, "abandoned", now) if given_up else failed))
    except Outrun:
        return "lost"
    except EngineError as trouble:
        _log.warning("%s: the failure cannot be noted, so it is tried again soon: %s", schedule.name, trouble)
        await asyncio.sleep(1.0)
        return "retried"
    return "abandoned" if given_up else "retried"


def _account(around: Around, schedule: Compiled, run: Run, trace: Trace, outcome: str, seconds: float) -> None:
    if around.journal is not None:
        fields = {
            "schedule": schedule.name,
            "due": run.due.isoformat(),
            "outcome": outcome,
            "attempt": run.attempt,
            "ms": round(seconds * 1000, 2),
        }
        level = "error" if outcome == "abandoned" else "info"
        around.journal.write(level, f"{schedule.name} {outcome}", trace, fields)
