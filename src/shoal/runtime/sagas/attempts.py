"""One attempt of one step: what it changes and how far the saga has come commit together, or not at all."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from shoal.drivers.base import Store
from shoal.errors import CallRejected, Conflict, Problem, StepRefused
from shoal.runtime.deadline import Budget
from shoal.runtime.failures import is_outage, spell
from shoal.runtime.logs import Journal
from shoal.runtime.recording import closed
from shoal.runtime.request import Request
from shoal.runtime.sagas import progress
from shoal.runtime.sagas.compiled import Definition, Task, keys, repeatable
from shoal.runtime.sagas.instances import SAGAS_TABLE, Instance, from_row, write
from shoal.runtime.sagas.progress import Change, Failure
from shoal.runtime.sagas.spans import over, stepping
from shoal.runtime.trace import Context, Trace, current
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service import codec
from shoal.service.context import Clock
from shoal.service.sagas import under_way

_TRY_AGAIN = (408, 409, 425, 429)
"""Statuses of class 4xx that another attempt may not meet."""

_log = logging.getLogger("shoal.sagas")


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """What every attempt needs."""

    store: Store
    announcer: Announcer
    clock: Clock
    journal: Journal | None
    poke: Callable[[], None]
    """Tells the relay that something was announced."""


async def advance(bench: Bench, definition: Definition, saga: Instance) -> Instance | None:
    """Do what is next for a saga and return how it stands then; None when it is no more."""
    now = bench.clock.now()
    if progress.is_overdue(definition.model, saga, now):
        return await _settle(bench, saga, progress.expired(definition.model, saga, now))
    task = definition.tasks.get((saga.step, saga.direction))
    if task is None:
        text = f"this code has no step {saga.step!r} of saga {saga.saga} to go {saga.direction} with"
        failure = Failure(kind="away", text=text)
        return await _settle(bench, saga, progress.failed(definition.model, saga, failure, now, now))
    started, (trace, span) = time.perf_counter(), stepping(saga)
    current.set(Context(trace, Budget(task.step.timeout), repeats=keys(saga), span=span))
    after: Instance | None
    met: BaseException | None = None
    try:
        outcome, after = "ok", await _attempt(bench, definition, task, saga, now)
    except Exception as error:  # noqa: BLE001 - the border: a step may raise anything
        met = error
        outcome, after = await _failed(bench, definition, saga, error, now)
    except BaseException as error:
        met = error
        raise
    finally:
        closed(span, met)
    seconds = time.perf_counter() - started
    task.series.observe(outcome, seconds, trace)
    _account(bench, saga, task, trace, outcome, seconds)
    return after


async def _attempt(bench: Bench, definition: Definition, task: Task, saga: Instance, began: datetime) -> Instance:
    """Call the step, and commit its changes with the saga's."""
    context = current.get()
    if context is None:
        raise RuntimeError("unreachable: set by the caller")
    request = Request({"path": "", "query_string": b""}, {}, (), context)
    state = request.body = definition.state.decode(saga.state.encode())
    itself = under_way(definition.kind, {"id": saga.id, "key": saga.key, "idempotency_key": repeatable(saga)})
    async with asyncio.timeout(task.step.timeout):
        async with bench.store.session() as session:
            request.transaction = unit = UnitOfWork(session, bench.announcer)
            returned = await task.work(itself, **task.plan.arguments(request))
            text = saga.state if returned is None or returned is state else codec.encode(returned).decode()
            change = progress.succeeded(definition.model, saga, text, began, bench.clock.now())
            write(session, change.after, change.entry)
        unit.committed(bench.poke)
    _tell(bench, change)
    return change.after


async def _failed(
    bench: Bench, definition: Definition, saga: Instance, error: Exception, began: datetime
) -> tuple[str, Instance | None]:
    """Record that an attempt failed, unless it did not: a commit may have succeeded without our hearing of it."""
    if isinstance(error, Conflict) and (found := await read(bench.store, saga.id)) != saga:
        return "overtaken", found
    failure = Failure(kind=_kind(error), text=spell(error), jitter=random.random())  # noqa: S311 - jitter
    first = saga.tries == 0 and failure.kind == "failed"
    _log.warning(
        "saga %s: %s of step %s failed, attempt %d: %s", saga.id, _direction(saga), saga.step, saga.tries + 1,
        failure.text, exc_info=error if first else None,
    )  # fmt: skip
    change = progress.failed(definition.model, saga, failure, began, bench.clock.now())
    return failure.kind, await _settle(bench, saga, change)


async def _settle(bench: Bench, saga: Instance, change: Change) -> Instance | None:
    """Commit a change that no step makes; when somebody else was quicker, return how the saga stands then."""
    try:
        async with bench.store.session() as session:
            write(session, change.after, change.entry)
    except Conflict:
        return await read(bench.store, saga.id)
    _tell(bench, change)
    return change.after


async def read(store: Store, saga: str) -> Instance | None:
    """Read a saga by its id."""
    async with store.session() as session:
        row = await session.get(SAGAS_TABLE, saga)
    return None if row is None else from_row(row)


def _tell(bench: Bench, change: Change) -> None:
    """Log what somebody should know, above all that a saga needs a person; record the whole of one that has ended."""
    after = change.after
    over(after, bench.clock.now())
    if after.status == "parked":
        _log.error(
            "saga %s is parked at %s of step %s: %s; look at it with `shoal saga show`, mend the cause, then "
            "`shoal saga retry`", after.id, _direction(after), after.step, after.error,
        )  # fmt: skip
    elif after.status == "compensating" and change.entry.direction == "forward":
        _log.warning("saga %s is undone: %s", after.id, after.error)


def _direction(saga: Instance) -> str:
    return "the work" if saga.direction == "forward" else "the compensation"


def _kind(error: Exception) -> progress.Kind:
    """Tell what an attempt met; only an absent engine or service is never the step's fault."""
    if isinstance(error, StepRefused):
        return "refused"
    if is_outage(error):
        return "away"
    is_final = isinstance(error, CallRejected | Problem) and 400 <= error.status < 500
    return "rejected" if is_final and getattr(error, "status", 0) not in _TRY_AGAIN else "failed"


def _account(bench: Bench, saga: Instance, task: Task, trace: Trace, outcome: str, seconds: float) -> None:
    if bench.journal is not None:
        fields = {
            "saga": saga.saga,
            "saga_id": saga.id,
            "step": task.step.name,
            "direction": saga.direction,
            "outcome": outcome,
            "attempt": saga.tries + 1,
            "ms": round(seconds * 1000, 2),
        }
        bench.journal.write("info", f"{saga.saga} {task.step.name} {outcome}", trace, fields)
