"""`Watch`: read again when an event has come; one look at the store wakes every stream of a process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from shoal.drivers.base import Store
from shoal.errors import EngineError
from shoal.runtime.answers.ends import LOOK, Ends
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service.context import Transaction

T = TypeVar("T")

ANYWAY = 30.0
"""Seconds after which a stream looks again although nothing was heard: for changes that no event tells of."""


class Watcher:
    """Implements `shoal.Watch` for one stream."""

    def __init__(self, store: Store, announcer: Announcer, ends: Ends, events: tuple[str, ...]) -> None:
        self._store, self._announcer, self._ends, self._events = store, announcer, ends, events

    async def __call__(self, read: Callable[[Transaction], Awaitable[T]]) -> AsyncIterator[T]:
        """Yield what `read` finds, at once and then each time it finds something else."""
        told: list[T] = []
        while True:
            marks = await self._ends.marks(self._events)
            found = [await self._read(read)] if not told else await self._try(read)
            if found and found != told:
                told = found
                yield told[0]
            await self._wait(marks)

    async def _read(self, read: Callable[[Transaction], Awaitable[T]]) -> T:
        async with self._store.session() as session:
            return await read(UnitOfWork(session, self._announcer))

    async def _try(self, read: Callable[[Transaction], Awaitable[T]]) -> list[T]:
        """Look again; while the store is away the stream is only silent."""
        try:
            return [await self._read(read)]
        except EngineError:
            return []

    async def _wait(self, marks: object) -> None:
        """Wait until an event has come."""
        until = asyncio.get_running_loop().time() + ANYWAY
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(LOOK)
            if await self._ends.marks(self._events) not in (marks, None):
                return
