"""The side of a service that keeps its indexes up with its records."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from shoal.drivers.base import Lease, Query, Row, Store
from shoal.drivers.base.search import Search
from shoal.errors import EngineError
from shoal.runtime.search import changes
from shoal.runtime.search.shapes import change_of, digest_of, shape_of
from shoal.runtime.side import Around
from shoal.runtime.tables import RecordTable, table_of

LEASE = "search"
"""Whose holder keeps the indexes, one replica of a service at a time."""

LARGEST = 500
"""Records that are written to an index at a time."""

LOOK = 0.25
"""Seconds between looks at least: projections and other replicas change records, too."""

FIRST, LAST = 0.1, 5.0
"""Seconds to the next try after a failure."""

_log = logging.getLogger("shoal.search")


def search_side(around: Around) -> "SearchSide | None":
    """Make the side of a service that has indexes."""
    declared = around.service.search
    if declared is None or around.search is None:
        return None
    return SearchSide(around, [Index(around.store, around.search, kind) for kind in declared.indexes], around.search)


class Index:
    """One index, and the records that it follows."""

    def __init__(self, store: Store, search: Search, kind: type) -> None:
        self._store, self._search = store, search
        self._shape = shape_of(kind)
        self._records: RecordTable[Any] = table_of(kind)
        self._name = self._shape.name
        self._digest = digest_of(self._shape)
        self._physical = ""

    async def establish(self) -> None:
        """Find the index that has everything, or build it."""
        row = await changes.standing(self._store, self._name)
        self._physical = str(row["physical"])
        if self._digest not in self._physical or await self._search.pointed(self._name) != self._physical:
            await self.build()

    async def build(self) -> None:
        """Fill a new index with every record, and let it take the place of the old one, which is asked until then.

        What changes meanwhile is noted, and taken over when all is there. Whoever dies on the way has changed nothing
        that anybody asks; the next one begins again.
        """
        asked = await changes.replaced(self._store, self._name)
        physical, generation = await self._next()
        await self._search.make(physical, self._shape)
        key, above = self._records.table.key, ""
        while True:
            taken = await changes.number(self._store, self._name)
            rows = await self._some(Query(above={key: above}, limit=LARGEST) if above else Query(limit=LARGEST))
            await self._write(physical, taken, {str(row[key]): row for row in rows}, ())
            if len(rows) < LARGEST:
                break
            above = str(rows[-1][key])
        while notes := await changes.pending(self._store, self._name, LARGEST):
            taken = await self._take(physical, notes)
            if len(notes) < LARGEST:
                break
            await changes.done(self._store, self._name, taken, notes)
        await self._search.point(self._name, physical)
        await changes.settled(self._store, self._name, taken, physical, generation, (*notes, *asked))
        self._physical = physical
        _log.info("the index %s is built", self._name)

    async def follow(self) -> int:
        """Take over what changed; return how many notes there were."""
        if await changes.replaced(self._store, self._name):
            await self.build()
        if notes := await changes.pending(self._store, self._name, LARGEST):
            taken = await self._take(self._physical, notes)
            await changes.done(self._store, self._name, taken, notes)
        return len(notes)

    async def _next(self) -> tuple[str, int]:
        """Name the next index: not that which is asked, also when its name was never noted."""
        generation = int(str((await changes.standing(self._store, self._name))["generation"])) + 1
        prefix, meant = f"{self._name}-{self._digest}-", await self._search.pointed(self._name)
        if meant == f"{prefix}{generation}":
            generation += 1
        return f"{prefix}{generation}", generation

    async def _take(self, physical: str, notes: Sequence[Row]) -> int:
        """Write the records that notes name, as they are now."""
        keys = sorted({str(each["record"]) for each in notes})
        taken = await changes.number(self._store, self._name)
        column = self._records.table.key
        rows = await self._some(Query(where={column: tuple(keys)}))
        await self._write(physical, taken, {str(row[column]): row for row in rows}, keys)
        return taken

    async def _some(self, query: Query) -> Sequence[Row]:
        async with self._store.session() as session:
            return await session.find(self._records.table, query)

    async def _write(self, physical: str, taken: int, rows: Mapping[str, Row], keys: Sequence[str]) -> None:
        """Write records; of `keys`, those without a row are gone."""
        found = [change_of(self._shape, key, taken, self._records.from_row(row)) for key, row in rows.items()]
        gone = [change_of(self._shape, key, taken, None) for key in keys if key not in rows]
        await self._search.write(physical, self._shape, [*found, *gone])


class SearchSide:
    """Follows with every index while it holds the right to; a `Side`."""

    def __init__(self, around: Around, indexes: Sequence[Index], search: Search) -> None:
        self._store, self._changed, self._search = around.store, around.changed, search
        self._indexes = indexes
        self._leaving = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._said = ""
        self._up = False
        self._held = around.metrics.held
        around.metrics.watch("shoal.search.up", lambda: float(self._up))

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Do nothing: there are no handlers."""

    def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run())

    def leave(self) -> None:
        """Go on: what requests and events still change is taken over until the end."""

    async def stop(self, drain: float) -> None:
        """Take over what is noted within `drain` seconds; the rest stays in the store."""
        self._leaving.set()
        self._changed.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=drain)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._search.close()

    async def _run(self) -> None:
        delay = FIRST
        while True:
            try:
                async with self._held("search", self._store.lease(LEASE)) as lease:
                    for index in self._indexes:
                        await index.establish()
                    self._up, self._said, delay = True, "", FIRST
                    await self._follow(lease)
            except EngineError as error:
                if str(error) != self._said:
                    _log.warning("indexes wait, and are tried again: %s", error)
                self._said = str(error)
            except Exception:  # noqa: BLE001 - notes wait in the store, whatever a driver raises
                _log.exception("indexes wait, and are tried again")
            self._up = False
            if self._leaving.is_set():
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), delay)
            delay = min(delay * 2, LAST)

    async def _follow(self, lease: Lease) -> None:
        """Follow until the right is lost or wanted, or the service ends."""
        while not (lease.lost.is_set() or lease.wanted.is_set()):
            self._changed.clear()
            leaving = self._leaving.is_set()
            most = max([await index.follow() for index in self._indexes], default=0)
            if most == LARGEST:
                continue
            if leaving:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK)
