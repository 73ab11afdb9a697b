"""A service's projections at work: one replica puts the journal in order and folds, the others stand by."""

import asyncio
import logging
import time
from collections.abc import Mapping
from math import inf
from typing import Any

from shoal.drivers.base import Lease, Store
from shoal.errors import EngineError, Unavailable
from shoal.runtime.consuming.desk import Subscriber
from shoal.runtime.deadline import Budget
from shoal.runtime.failures import pause, spell
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.portions import Portion
from shoal.runtime.projections import fold, journal
from shoal.runtime.projections.fold import Fold
from shoal.runtime.projections.record import recording
from shoal.runtime.recording import apart, begun
from shoal.runtime.side import Around
from shoal.runtime.trace import Context, current
from shoal.service.declare import Service
from shoal.telemetry import conventions as names
from shoal.telemetry.spans import INTERNAL

SHORTEST, LONGEST = 0.002, 0.5
"""Seconds between looks: short after an event was noted in this process, since its commit follows, then ever longer."""

OUTAGE = 0.5
"""Seconds before what an absent store has interrupted is tried again."""

LONGEST_BACKOFF = 30.0

LEASE = "projections"

_log = logging.getLogger("shoal.projections")


class ProjectionSide:
    """A `side.Side`."""

    def __init__(self, around: Around) -> None:
        self._service: Service = around.service
        self._store: Store = around.store
        self._metrics: Metrics = around.metrics
        self._folds = [fold.compile_fold(projection) for projection in around.service.projections]
        self._round = Portion(journal.ROUND)
        self._batches = {each.name: Portion(fold.BATCH) for each in self._folds}
        self._noted, self._changed = asyncio.Event(), around.changed
        self._placed = {each.name: asyncio.Event() for each in self._folds}
        self._leaving = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Do nothing: handlers get nothing that could be overridden."""

    def listen(self, handled: Mapping[str, Subscriber]) -> Mapping[str, Subscriber]:
        """Note every event that a projection hears."""
        return recording(self._service, handled, self._metrics, self._noted.set)

    def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run())

    def leave(self) -> None:
        """Begin no further transaction."""
        self._leaving.set()

    async def stop(self, drain: float) -> None:
        """End; what is in hand is finished or rolled back, and the next one to hold the right goes on from there."""
        self.leave()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=min(drain, 2.0))
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        delay = 0.1
        while not self._leaving.is_set():
            try:
                await self._hold()
                delay = 0.1
            except EngineError as error:
                _log.warning("projections are interrupted, trying again in %.1f s: %s", delay, error)
            except Exception:  # noqa: BLE001 - the loop must go on, whatever a driver raises
                _log.exception("projections failed, trying again in %.1f s", delay)
            await _first(self._leaving, within=delay)
            delay = min(delay * 2, 2.0)

    async def _hold(self) -> None:
        """Work while this replica has the right. Losing it harms nothing: each transaction holds what it changes."""
        await journal.prepare(self._store)
        for each in self._folds:
            await fold.begin(self._store, each)
        waiting = asyncio.ensure_future(self._leaving.wait())
        working = asyncio.ensure_future(self._work())
        try:
            await asyncio.wait({waiting, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                await working
        finally:
            waiting.cancel()
            working.cancel()
            await asyncio.gather(waiting, working, return_exceptions=True)

    async def _work(self) -> None:
        right = self._metrics.held("projections", self._store.lease(LEASE))
        async with right as lease, asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._order(lease))]
            tasks += [group.create_task(self._fold(each)) for each in self._folds]
            await _first(lease.lost, lease.wanted)
            for task in tasks:
                task.cancel()

    async def _order(self, lease: Lease) -> None:
        pause = SHORTEST
        while not lease.lost.is_set():
            self._noted.clear()
            if await self._place():
                for placed in self._placed.values():
                    placed.set()
                pause = SHORTEST
            elif await _first(self._noted, within=pause):
                pause = SHORTEST
            else:
                pause = min(pause * 1.5, LONGEST)

    async def _place(self) -> int:
        try:
            return await self._round.take(lambda limit: journal.order(self._store, limit))
        except EngineError as error:
            _log.warning("the journal is not put in order, trying again in %.1f s: %s", OUTAGE, error)
            await _first(within=OUTAGE)
            return 1  # for all that we know: a commit of which nobody heard may have placed events

    async def _fold(self, each: Fold) -> None:
        placed = self._placed[each.name]
        while True:
            placed.clear()
            try:
                while await self._advance(each):
                    pass
            except Unavailable as error:
                _log.warning("projection %s is interrupted: %s", each.name, error)
                await _first(within=OUTAGE)
            except Exception as error:  # noqa: BLE001 - a handler may raise anything
                await _first(within=await self._failed(each, error))
            else:
                await placed.wait()

    async def _advance(self, each: Fold) -> int:
        began, at, trace = time.perf_counter(), time.time_ns(), begun()
        current.set(Context(trace, Budget(inf)))  # what owners of keys are asked belongs to it
        folded = await self._batches[each.name].take(lambda limit: fold.advance(self._store, each, limit))
        if folded.events:
            self._changed.set()
            self._metrics.series("projection", each.name).observe("folded", time.perf_counter() - began)
            told: dict[str, object] = {names.PROJECTION: each.name, names.COUNT: folded.events}
            apart(trace, f"project {each.name}", INTERNAL, at, attributes=told, links=folded.traces)
        return folded.events

    async def _failed(self, each: Fold, error: Exception) -> float:
        """Fold what comes before the event at fault, take note of it, and say when to try again."""
        try:
            while (await fold.advance(self._store, each, limit=1)).events:
                pass
        except Exception as again:  # noqa: BLE001 - a handler may raise anything
            error = again
        else:
            return 0.0
        if isinstance(error, Unavailable):
            return OUTAGE
        self._metrics.series("projection", each.name).observe("failed", 0.0)
        try:
            after = await fold.fail(self._store, each, spell(error))
        except EngineError:
            return OUTAGE
        delay = pause(0.2, after.failures, most=LONGEST_BACKOFF)
        first = error if after.failures == 1 else None
        _log.error("projection %s stands still, trying again in %.1f s: %r", each.name, delay, error, exc_info=first)
        return delay


def projection_side(around: Around) -> ProjectionSide | None:
    """Make the side of a service that has projections."""
    return ProjectionSide(around) if around.service.projections else None


async def _first(*events: asyncio.Event, within: float = inf) -> bool:
    """Wait until one of `events` is set; say whether one was before the time had passed."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    if not waiting:
        await asyncio.sleep(within)
        return False
    try:
        done, _ = await asyncio.wait(
            waiting, timeout=None if within == inf else within, return_when=asyncio.FIRST_COMPLETED
        )
        return bool(done)
    finally:
        for each in waiting:
            each.cancel()
