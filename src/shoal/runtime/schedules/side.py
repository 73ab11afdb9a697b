"""The side of a service that runs by the clock."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from shoal.drivers.base import Lease, Query, Session
from shoal.errors import Conflict, EngineError
from shoal.runtime.clock import when_moved
from shoal.runtime.inject import Plan
from shoal.runtime.schedules.decide import Restart, Run, decide
from shoal.runtime.schedules.rows import SCHEDULES, State, from_row, to_row
from shoal.runtime.schedules.runner import Compiled, attempt
from shoal.runtime.side import Around
from shoal.service.describe_schedules import schedule_signature
from shoal.service.schedules import ScheduleDeclaration

LEASE = "schedules"
"""Whose holder looks at the clock, one replica of a service at a time."""

LOOK = 2.0
"""Seconds between looks at least: a run may be asked for by hand, and the machine's clock may be set."""

EARLY = 30.0
"""Seconds that a process waits for a run that is not due yet: so far may its clock be behind the cluster's."""

_TABLE = SCHEDULES.table

_log = logging.getLogger("shoal.schedules")


def schedule_side(around: Around) -> "ScheduleSide | None":
    """Make the side of a service that has schedules."""
    return ScheduleSide(around) if around.service.schedules else None


class ScheduleSide:
    """Looks at the clock while it holds the right to, and runs what is due; a `Side`."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._declared = {d.model.name: d for d in around.service.schedules}
        self._compiled: dict[str, Compiled] = {}
        self._working: dict[str, asyncio.Task[None]] = {}
        self._stirred = asyncio.Event()
        self._leaving = False
        self._looking: asyncio.Task[None] | None = None
        when_moved(around.clock, self._stirred.set)

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Compile the handlers."""
        self._compiled = {d.model.name: self._compile(d, values) for d in self._declared.values()}

    def knows(self, name: str) -> bool:
        """Tell whether a schedule of this name is declared."""
        return name in self._declared

    async def once(self, name: str) -> bool:
        """Run what is due of one schedule, attempt after attempt; False when a run was given up.

        Who is called by another clock may come too early: what is due within `EARLY` seconds is waited for.
        """
        await self._prepare()
        declared, clock, begun = self._declared[name], self._around.clock, self._around.clock.now()
        while True:
            async with self._around.store.session() as session:
                row = await session.get(_TABLE, name)
            if row is None:
                raise RuntimeError("unreachable: prepared above")
            state, now = from_row(row), clock.now()
            action = decide(declared.rule, declared.model.missed, state, now)
            if isinstance(action, Run):
                await asyncio.create_task(attempt(self._around, self._compiled[name], state, action))
            elif isinstance(action, Restart) or (state.due is None and _seconds(now, action.until) > EARLY):
                return state.outcome != "abandoned" or state.ended_at is None or state.ended_at < begun
            elif state.ended_at is not None and state.ended_at >= begun:
                return state.outcome != "abandoned"
            else:
                await asyncio.sleep(min(LOOK, max(0.05, _seconds(now, action.until))))

    def start(self) -> None:
        """Begin to look."""
        self._looking = asyncio.create_task(self._look_for_ever())

    def leave(self) -> None:
        """Begin no run from now on."""
        self._leaving = True
        self._stirred.set()

    async def stop(self, drain: float) -> None:
        """Let runs in hand end within `drain` seconds; one that does not is left to another replica."""
        self.leave()
        if self._looking is None:
            return
        if self._working:
            await asyncio.wait(self._working.values(), timeout=drain)
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        await self._abandon()

    def _compile(self, declared: ScheduleDeclaration, values: Mapping[Any, Any]) -> Compiled:
        service, name = self._around.service, declared.model.name
        return Compiled(
            name=name,
            handler=declared.handler,
            plan=Plan(schedule_signature(service, declared), (), values),
            policy=declared.policy,
            zone=declared.zone,
            series=self._around.metrics.series("schedule", name),
        )

    async def _look_for_ever(self) -> None:
        delay = 0.1
        while not self._leaving:
            try:
                async with self._around.metrics.held("schedules", self._around.store.lease(LEASE)) as lease:
                    await self._prepare()
                    delay = 0.1
                    await self._look(lease)
            except EngineError as error:
                _log.warning("schedules rest, trying again in %.1f s: %s", delay, error)
            except Exception:  # noqa: BLE001 - the clock goes on, whatever a driver raises
                _log.exception("schedules rest, trying again in %.1f s", delay)
            if not self._leaving:
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)

    async def _prepare(self) -> None:
        """Make the rows of schedules that are new: they count from now."""
        for name in self._declared:
            with suppress(Conflict):
                async with self._around.store.session() as session:
                    if await session.get(_TABLE, name) is None:
                        session.insert(_TABLE, to_row(State(name=name, settled=self._around.clock.now())))

    async def _look(self, lease: Lease) -> None:
        """Run what is due until the right is lost or wanted, or the service ends."""
        losing = asyncio.create_task(lease.lost.wait())
        losing.add_done_callback(lambda _: self._stirred.set())
        try:
            while not (self._leaving or lease.lost.is_set() or lease.wanted.is_set()):
                self._stirred.clear()
                seconds = await self._round()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stirred.wait(), seconds)
            while self._working and not lease.lost.is_set():
                await asyncio.wait([losing, *self._working.values()], return_when=asyncio.FIRST_COMPLETED)
        finally:
            losing.cancel()
            await self._abandon()

    async def _round(self) -> float:
        """Begin what is due, and say in how many seconds to look again."""
        elsewhere = self._around.apart
        idle = tuple(n for n in self._declared if n not in self._working and n not in elsewhere)  # before rows are read
        async with self._around.store.session() as session:
            rows = await session.find(_TABLE, Query(where={"name": idle}))
            waits = [self._consider(session, from_row(row)) for row in rows]
        return max(0.0, min(waits, default=LOOK))

    def _consider(self, session: Session, state: State) -> float:
        declared, now = self._declared[state.name], self._around.clock.now()
        action = decide(declared.rule, declared.model.missed, state, now)
        if isinstance(action, Run):
            self._begin(state, action)
            return LOOK
        if isinstance(action, Restart):
            _log.warning("%s was settled until %s, which is yet to come: it counts from now", state.name, state.settled)
            session.put(_TABLE, to_row(msgspec.structs.replace(state, settled=now)))
            return 0.0
        return min(LOOK, _seconds(now, action.until))

    def _begin(self, state: State, run: Run) -> None:
        name = state.name
        task = asyncio.create_task(attempt(self._around, self._compiled[name], state, run))
        self._working[name] = task
        task.add_done_callback(lambda done: self._ended(name, done))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._working.pop(name, None)
        self._stirred.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s ended without a word", name, exc_info=error)

    async def _abandon(self) -> None:
        """Cancel the runs in hand: their due times are not settled, and another replica runs them."""
        tasks = [*self._working.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _seconds(now: datetime, until: datetime) -> float:
    return (until - now).total_seconds()
