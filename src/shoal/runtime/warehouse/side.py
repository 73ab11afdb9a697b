"""The side of a service that loads its facts into its warehouse."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from shoal.drivers.base import FactTable, Lease, Warehouse
from shoal.errors import EngineError, TooLarge, Unavailable
from shoal.runtime.portions import Portion
from shoal.runtime.recording import batch
from shoal.runtime.side import Around
from shoal.runtime.warehouse.shapes import table_of
from shoal.runtime.warehouse.staging import LARGEST, Load, decide, forgo, settle
from shoal.service.warehouse import fact_table_of
from shoal.telemetry import conventions as names

LEASE = "warehouse"
"""Whose holder loads, one replica of a service at a time."""

LOOK = 2.0
"""Seconds between looks at least: another replica may have staged facts."""

GATHER = 0.1
"""Seconds that facts are gathered for, so that batches are few: each is a commit of the warehouse."""

FIRST, HELD, LAST = 0.1, 0.5, 5.0
"""Seconds to the next try: the first, the most while somebody is away or has the file, and the most otherwise."""

FORGET = 3600.0
"""Seconds between removals of old facts."""

_log = logging.getLogger("shoal.warehouse")


def warehouse_side(around: Around) -> "WarehouseSide | None":
    """Make the side of a service that has a warehouse."""
    return WarehouseSide(around, around.warehouse) if around.warehouse is not None else None


class WarehouseSide:
    """Opens the warehouse, and appends what is staged while it holds the right to; a `Side`."""

    def __init__(self, around: Around, warehouse: Warehouse) -> None:
        self._around, self._warehouse, self._stirred = around, warehouse, around.staged
        declared = around.service.warehouse
        kinds = declared.tables if declared is not None else ()
        self._tables: tuple[FactTable, ...] = tuple(map(table_of, kinds))
        self._keep = {table_of(k): fact_table_of(k).keep_days for k in kinds if fact_table_of(k).keep_days}
        self._delay, self._said = FIRST, ""
        self._told: set[str] = set()
        self._batch, self._settling = Portion(LARGEST), Portion(LARGEST)
        self._oversized: set[str] = set()
        """Facts of which the warehouse does not even take one alone; they stay in the store."""
        self._leaving = asyncio.Event()
        self._loading: asyncio.Task[None] | None = None
        self._waits = True
        around.metrics.watch("shoal.warehouse.up", lambda: float(not self._waits))

    def compile(self, values: Mapping[Any, Any]) -> None:
        """Do nothing: there are no handlers."""

    def start(self) -> None:
        """Begin to open and to load."""
        self._loading = asyncio.create_task(self._load_for_ever())

    def leave(self) -> None:
        """Go on: what requests and events still append is loaded until the end."""

    async def stop(self, drain: float) -> None:
        """Load what is staged within `drain` seconds, and let go of the warehouse; the rest stays in the store."""
        self._leaving.set()
        self._stirred.set()
        if self._loading is not None:
            await asyncio.wait([self._loading], timeout=drain)
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)
        await self._warehouse.close()

    async def _load_for_ever(self) -> None:
        while True:
            most = LAST
            try:
                await self._warehouse.open()
                await self._warehouse.prepare(self._tables)
                async with self._around.metrics.held("warehouse", self._around.store.lease(LEASE)) as lease:
                    self._waits = False
                    await self._load(lease)
            except EngineError as error:
                most = HELD if isinstance(error, Unavailable) else LAST
                if str(error) != self._said:
                    _log.warning("facts wait, and are tried again: %s", error)
                self._said = str(error)
            except Exception:  # noqa: BLE001 - facts wait in the store, whatever a driver raises
                _log.exception("facts wait, and are tried again")
            if self._leaving.is_set():
                return
            self._waits = True
            delay = min(self._delay, most)
            self._delay = delay * 2
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), delay)

    async def _load(self, lease: Lease) -> None:
        """Load until the right is lost or wanted, or the service ends."""
        loop, forgotten = asyncio.get_running_loop(), float("-inf")
        while not (lease.lost.is_set() or lease.wanted.is_set()):
            self._stirred.clear()
            leaving = self._leaving.is_set()
            more = await self._round()
            self._delay, self._said = FIRST, ""
            if more:
                continue
            if leaving:
                return
            if self._keep and loop.time() - forgotten > FORGET:
                await self._forget()
                forgotten = loop.time()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), LOOK)
            await self._gather(lease)

    async def _gather(self, lease: Lease) -> None:
        """Let facts come together, for as long as the warehouse would have it; who leaves loads what there is."""
        loop = asyncio.get_running_loop()
        end = loop.time() + max(GATHER, self._warehouse.every)
        while not (self._leaving.is_set() or lease.lost.is_set() or lease.wanted.is_set()):
            left = end - loop.time()
            if left <= 0:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), min(left, LOOK))

    async def _round(self) -> bool:
        """Load one batch; say whether there may be more at once."""
        most = self._batch.size
        load = await self._decide()
        if load is not None and load.strange:
            await self._resolve(load)
            load = await self._decide()
        if load is None:
            return False
        try:
            with batch("load warehouse", links=load.traces) as span:
                if span is not None:
                    span.set(names.COUNT, len(load.ids))
                await self._warehouse.append(load.batch)
        except TooLarge as error:
            await self._resolve(load)
            self._shrink(load, error)
            return True
        self._batch.grow()
        await settle(self._around.store, load, self._settling)
        return len(load.ids) >= most

    async def _decide(self) -> Load | None:
        most, without = self._batch.size, self._oversized
        return await decide(self._around.store, self._tables, self._tell, most=most, without=without)

    def _shrink(self, load: Load, error: TooLarge) -> None:
        """Let fewer facts make up a batch, and leave one that is too large alone where it is."""
        if len(load.ids) > 1:
            self._batch.halve(len(load.ids))
        else:
            self._oversized |= set(load.ids)
            _log.error("fact %s is larger than the warehouse takes, and stays in the store: %s", load.ids[0], error)

    async def _resolve(self, load: Load) -> None:
        """End what another version began: nobody can append its batch here, but it may have been appended."""
        if await self._warehouse.latest(load.batch.source) == load.batch.id:
            await settle(self._around.store, load, self._settling)
        else:
            await forgo(self._around.store, load)

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            _log.warning("facts wait for a version of this service that declares %s", what)

    async def _forget(self) -> None:
        now = self._around.clock.now()
        for table, days in self._keep.items():
            gone = await self._warehouse.forget(table, now - timedelta(days=days))
            if gone:
                _log.info("%d facts of %s were older than %d days and are gone", gone, table.name, days)
