"""Removes the records whose time is over, and commands that were recorded long ago."""

import asyncio
import logging
import random
from collections.abc import Sequence

import msgspec

from shoal.drivers.base import Query, Store, Table
from shoal.errors import EngineError
from shoal.runtime.commands.entries import COMMANDS
from shoal.runtime.relay import TIDY_SECONDS
from shoal.runtime.side import Around, OneTask, Side
from shoal.runtime.tables import table_of
from shoal.service.audited import is_audited
from shoal.service.context import Clock
from shoal.service.marks import record_mark
from shoal.service.records import records_of

_log = logging.getLogger("shoal.expiring")

_ACTS = 80
"""Changes of one transaction: fewer than the engine takes that takes the fewest (DynamoDB, 100)."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """A table whose rows end, and the column that says when."""

    table: Table
    column: str


def expiring_side(around: Around) -> Side | None:
    """Make the side where records can expire, or commands are recorded."""
    marked = [(table_of(kind).table, record_mark(kind).expires) for kind in records_of(around.service)]
    endings = [Ending(table=table, column=expires) for table, expires in marked if expires]
    if any(is_audited(around.service, declared) for declared in around.service.endpoints):
        endings.append(Ending(table=COMMANDS.table, column=COMMANDS.kept_until))
    return Expiring(around.store, around.clock, endings) if endings else None


class Expiring(OneTask):
    """A `Side` that looks at the start and every hour; one process at a time does."""

    def __init__(self, store: Store, clock: Clock, endings: Sequence[Ending]) -> None:
        self._store, self._clock, self._endings = store, clock, endings

    async def run(self) -> None:
        """Look at the start and every hour; one process at a time does."""
        while True:
            try:
                async with self._store.lease("expiring"):
                    for ending in self._endings:
                        while await self._remove_some(ending) == some(ending.table):
                            pass
            except EngineError as error:
                _log.warning("expired records were not removed, trying again later: %s", error)
            await asyncio.sleep(TIDY_SECONDS * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load

    async def _remove_some(self, ending: Ending) -> int:
        """Remove some that are still over once they are held; return how many."""
        most = some(ending.table)
        query = Query(at_most={ending.column: self._clock.now()}, limit=most, lock=True, skip_locked=True)
        async with self._store.session() as session:
            over = await session.find(ending.table, query)
            for row in over:
                session.delete(ending.table, row[ending.table.key])
        return len(over)


def some(table: Table) -> int:
    """Say how many records go in one transaction: of each its lock and its unique values go, too."""
    return _ACTS // (2 + len(table.unique))
