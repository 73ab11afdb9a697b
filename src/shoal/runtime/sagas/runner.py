"""Drive the sagas of one service: at once those begun here, and in time those that wait or lost their driver.

The sagas are in a few parts. One replica at a time holds the right to a part (`Store.lease`), so that no two drive the
same saga while both are alive; should one be frozen and not know that it lost the right, its commit finds the number
of its change taken. Nothing is kept in memory but the sagas in hand, of which there is a bound.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from shoal.drivers.base import Lease, Query, Session
from shoal.errors import EngineError, Undeclared
from shoal.runtime.clock import when_moved
from shoal.runtime.sagas.attempts import Bench, advance
from shoal.runtime.sagas.compiled import Definition, compile_sagas
from shoal.runtime.sagas.housekeeping import count_parked, forget
from shoal.runtime.sagas.instances import ACTIVE, SAGAS_TABLE, Instance, from_row, to_row
from shoal.runtime.sagas.spans import kept
from shoal.runtime.side import Around
from shoal.runtime.trace import current
from shoal.service import codec
from shoal.service.sagas import Saga

PARTS = 4
"""Rights into which the sagas of a service are divided, so that as many replicas may share them."""

MOST = 64
"""Sagas in hand at a time; the others wait in the store."""

REMEMBERED = 4096
"""Sagas that left the hand of which the version is remembered."""

SHORTEST, LONGEST = 0.1, 2.0
"""Seconds between looks while nothing is due; other replicas and operators set sagas going, too."""

TIDY = 60.0
"""Seconds between rounds of housekeeping."""

_log = logging.getLogger("shoal.sagas")


def saga_side(around: Around) -> "SagaSide | None":
    """Make the side, where a service declares sagas."""
    return SagaSide(around) if around.service.sagas else None


class SagaSide:
    """A `Side`, and what `Transaction.start` begins sagas with."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._bench = Bench(
            store=around.store,
            announcer=around.announcer,
            clock=around.clock,
            journal=around.journal,
            poke=around.poke,
        )
        self._names = {declared.kind: declared.name for declared in around.service.sagas}
        self._definitions: dict[str, Definition] = {}
        self._held: dict[int, Lease] = {}
        self._in_hand: dict[str, tuple[int, asyncio.Task[None]]] = {}
        self._left: dict[str, int] = {}
        self._is_crowded = False
        self._tasks: list[asyncio.Task[None]] = []
        self._stir = asyncio.Event()
        self._must_look = False
        self._leaving = asyncio.Event()
        self._next: datetime | None = None
        self._parked = 0
        around.announcer.starter = self
        around.metrics.watch("shoal.sagas.parked", lambda: self._parked)
        around.metrics.watch("shoal.sagas.in_hand", lambda: len(self._in_hand))

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Compile every step; those under way go on with what they have."""
        models = {saga.name: saga for saga in self._around.model.sagas}
        self._definitions = compile_sagas(self._around.service, models, values, self._around.metrics)

    def start(self) -> None:
        """Ask for the parts, and look after them."""
        when_moved(self._around.clock, self._news)
        self._tasks = [asyncio.create_task(self._hold(part)) for part in range(PARTS)]
        self._tasks.append(asyncio.create_task(self._look_for_ever()))
        self._tasks.append(asyncio.create_task(self._tidy_for_ever()))

    def leave(self) -> None:
        """Begin no further step."""
        self._leaving.set()
        self._news()

    async def stop(self, drain: float) -> None:
        """Finish the steps in hand."""
        self.leave()
        hands = [task for _, task in self._in_hand.values()]
        if hands:
            await asyncio.wait(hands, timeout=drain)
        tasks = [*self._tasks, *hands]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def begin(self, session: Session, kind: type[Saga[Any]], state: Any, key: str) -> Callable[[], None] | None:
        """Write a saga's first row, and return what drives it after the commit; None when it was begun before."""
        name = self._names.get(kind)
        if name is None:
            raise Undeclared(
                f"service {self._around.service.name} starts {kind.__name__}, which is no saga of it",
                hint=f"decorate the class with @{self._around.service.name.replace('-', '_')}.saga(...)",
            )
        made = self._made(self._definitions[name], state, key)
        if key and await session.get(SAGAS_TABLE, made.id) is not None:
            return None
        session.insert(SAGAS_TABLE, to_row(made))

        def then() -> None:
            self._take([made])

        return then

    def _made(self, definition: Definition, state: Any, key: str) -> Instance:
        now, context = self._around.clock.now(), current.get()
        name, key = definition.model.name, key or uuid4().hex
        return Instance(
            id=f"{name}/{key}",
            saga=name,
            key=key,
            part=random.choice([*self._held] or range(PARTS)),  # noqa: S311 - any will do, ours is quickest
            step=definition.model.steps[0].name,
            state=codec.encode(state).decode(),
            due=now,
            deadline=now + timedelta(seconds=definition.model.timeout),
            started=now,
            updated=now,
            trace=kept(context.trace) if context is not None else "",
        )

    async def _hold(self, part: int) -> None:
        """Hold the right to a part whenever it can be had."""
        while not self._leaving.is_set():
            try:
                right = self._around.store.lease(f"sagas {part}", group="sagas")
                async with self._around.metrics.held("sagas", right) as lease:
                    await self._serve(part, lease)
            except EngineError as error:
                _log.warning("cannot ask for the right to sagas, trying again: %s", error)
                await self._pause()
            except Exception:  # noqa: BLE001 - it must go on, whatever a driver raises
                _log.exception("asking for the right to sagas failed, trying again")
                await self._pause()

    async def _serve(self, part: int, lease: Lease) -> None:
        self._held[part] = lease
        self._news()
        try:
            await _first(lease.lost, lease.wanted, self._leaving)
        finally:
            del self._held[part]
        tasks = [task for its, task in self._in_hand.values() if its == part]
        if lease.lost.is_set():
            for task in tasks:
                task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _news(self) -> None:
        """Ask for a look now."""
        self._must_look = True
        self._stir.set()

    async def _look_for_ever(self) -> None:
        pause = SHORTEST
        while not self._leaving.is_set():
            self._must_look = False
            try:
                pause = SHORTEST if await self._look() else min(pause * 1.5, LONGEST)
            except EngineError as error:
                _log.warning("cannot look for sagas, trying again: %s", error)
                pause = LONGEST
            except Exception:  # noqa: BLE001 - it must go on, whatever a driver raises
                _log.exception("looking for sagas failed, trying again")
                pause = LONGEST
            await self._rest(pause)

    async def _rest(self, pause: float) -> None:
        """Wait until there is news, a saga is due, or the pause is over."""
        until = time.monotonic() + pause
        while not self._must_look and (seconds := min(until - time.monotonic(), self._until_next())) > 0:
            self._stir.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stir.wait(), seconds)

    def _until_next(self) -> float:
        if self._next is None:
            return LONGEST
        return (self._next - self._around.clock.now()).total_seconds()

    async def _look(self) -> bool:
        """Take what is due of the parts held here; a page at a time, and never more than can be in hand."""
        now = self._around.clock.now()
        if self._next is not None and self._next <= now:
            self._next = None  # also when nothing can be taken now: what changes that asks for a look
        self._is_crowded = len(self._in_hand) >= MOST
        if not self._held or self._is_crowded:
            return False
        query = Query(
            where={"status": ACTIVE, "part": tuple(self._held), "saga": tuple(self._definitions)},
            at_most={"due": now},
            order=("due",),
            limit=MOST + 1,
        )
        async with self._around.store.session() as session:
            rows = await session.find(SAGAS_TABLE, query)
        return self._take([from_row(row) for row in rows])

    def _take(self, sagas: Sequence[Instance]) -> bool:
        """Drive as many as there is room for; the others are found by a later look.

        What was read before the saga was driven on is out of date, and left alone.
        """
        taken = False
        for saga in sagas:
            if saga.id in self._in_hand or saga.version < self._left.get(saga.id, 0) or saga.part not in self._held:
                continue
            if len(self._in_hand) >= MOST:
                self._is_crowded = True
            elif not self._leaving.is_set():
                self._in_hand[saga.id] = (saga.part, asyncio.create_task(self._drive(saga)))
                taken = True
        return taken

    async def _drive(self, saga: Instance) -> None:
        """Take a saga as far as it gets without waiting."""
        following: Instance | None = saga
        try:
            while following is not None and self._is_ours(following):
                saga, following = following, await advance(self._bench, self._definitions[following.saga], following)
        except EngineError as error:
            _log.warning("saga %s waits, its progress cannot be stored: %s", saga.id, error)
            await self._pause()
        except Exception:  # noqa: BLE001 - the others must go on, whatever a driver raises
            _log.exception("saga %s cannot be driven on; it is tried again", saga.id)
            await self._pause()
        finally:
            self._let_go(following or saga)

    def _let_go(self, saga: Instance) -> None:
        del self._in_hand[saga.id]
        self._left.pop(saga.id, None)
        self._left[saga.id] = saga.version
        if len(self._left) > REMEMBERED:
            del self._left[next(iter(self._left))]
        self._parked += saga.status == "parked"
        if saga.is_active and saga.due is not None and (self._next is None or saga.due < self._next):
            self._next = saga.due
            self._stir.set()
        if self._is_crowded:
            self._is_crowded = False
            self._news()

    async def _pause(self) -> None:
        """Wait a while with a saga in hand, so that what cannot be stored is not tried in a circle."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._leaving.wait(), LONGEST * (0.5 + random.random() / 2))  # noqa: S311 - jitter

    def _is_ours(self, saga: Instance) -> bool:
        """Tell whether there is something to do for a saga now, and by us."""
        is_due = saga.is_active and saga.due is not None and saga.due <= self._around.clock.now()
        return is_due and saga.part in self._held and not self._leaving.is_set()

    async def _tidy_for_ever(self) -> None:
        while not self._leaving.is_set():
            try:
                self._parked = await count_parked(self._around.store, tuple(self._held))
                await self._forget()
            except EngineError as error:
                _log.warning("cannot tidy sagas, trying again: %s", error)
            except Exception:  # noqa: BLE001 - it must go on, whatever a driver raises
                _log.exception("tidying sagas failed, trying again")
            await asyncio.sleep(TIDY)

    async def _forget(self) -> None:
        """Forget all that ended long ago, some at a time."""
        while not self._leaving.is_set():
            if not await forget(self._around.store, tuple(self._held), self._around.clock.now()):
                return


async def _first(*events: asyncio.Event) -> None:
    """Wait until any of `events` is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waiting:
            wait.cancel()
