"""`Transact`: one unit of work after the other, for who lives longer than a transaction may."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from shoal.drivers.base import Store
from shoal.runtime.transaction import Announcer, UnitOfWork
from shoal.service.context import Transaction

T = TypeVar("T")


class Transactor:
    """Implements `shoal.Transact`."""

    def __init__(self, store: Store, announcer: Announcer, poke: Callable[[], None]) -> None:
        self._store, self._announcer, self._poke = store, announcer, poke

    async def __call__(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Commit what `work` does."""
        async with self._store.session() as session:
            unit = UnitOfWork(session, self._announcer)
            result = await work(unit)
        unit.committed(self._poke)
        return result
