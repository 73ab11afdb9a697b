"""`base.Warehouse` on DuckDB: each call in a thread, so that the service goes on meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from typing import Any, TypeVar, cast

from shoal.drivers.base import FactBatch, FactTable, ReportQuery, Row, reports
from shoal.drivers.base.observing import Asking, Stating
from shoal.drivers.duckdb import sql
from shoal.errors import EngineError, Unavailable

T = TypeVar("T")

Asked = tuple[Future[Any], Any]
"""A report under way, and the cursor that it runs on."""

SYSTEM = "duckdb"
"""How its spans are told; there is no agreed name."""

REPORTS = 2
"""Reports at a time; DuckDB has threads of its own for each."""

AGAIN = 0.01
"""Seconds after which a report is interrupted again."""

CLOSING = 5.0
"""Seconds that closing waits for a write; its thread then goes on alone."""


class DuckWarehouse:
    """One file, which one process has."""

    every = 0.0

    def __init__(self, path: str) -> None:
        self._path = path
        self._client: Any = None
        self._writer: ThreadPoolExecutor | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._asked: set[Asked] = set()

    async def open(self) -> None:
        """Import the library, open the file."""
        if self._client is None:
            self._writer = self._writer or ThreadPoolExecutor(1, thread_name_prefix="warehouse")
            self._readers = self._readers or ThreadPoolExecutor(REPORTS, thread_name_prefix="reports")
            self._client = await asyncio.wrap_future(self._writer.submit(lambda: _client(self._path)))

    async def close(self) -> None:
        """End reports, wait for what is being written, then let go of the file."""
        client, writer, readers = self._client, self._writer, self._readers
        self._client = self._writer = self._readers = None
        if writer is None or readers is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await asyncio.gather(*(_interrupt(client, *asked) for asked in self._asked))
                if client is not None:
                    await asyncio.shield(asyncio.wrap_future(writer.submit(client.close)))
        writer.shutdown(wait=False)
        readers.shutdown(wait=False)

    async def prepare(self, tables: Sequence[FactTable]) -> None:
        """Make and widen tables."""
        await self._write(lambda client: client.prepare(tables))

    async def append(self, batch: FactBatch) -> bool:
        """Append a batch once."""
        with Asking(SYSTEM, "append", ", ".join(table for table, _ in batch.facts)):
            return await self._write(lambda client: cast("bool", client.append(batch)))

    async def latest(self, source: str) -> str:
        """Read the id of the latest batch, after what is being appended."""
        return await self._write(lambda client: cast("str", client.latest(source)))

    async def report(self, query: ReportQuery) -> Sequence[Row]:
        """Answer a question; one that nobody waits for any more is interrupted, and takes nobody's place."""
        client, readers = self._opened(), cast("ThreadPoolExecutor", self._readers)
        cursor = client.cursor()
        asked: Asked = (readers.submit(client.report, query, cursor), cursor)
        self._asked.add(asked)
        try:
            with Stating(SYSTEM, reports.select(query, sql.DIALECT)[0]):
                return await asyncio.wrap_future(asked[0])
        except asyncio.CancelledError:
            await _interrupt(client, *asked)
            raise
        finally:
            self._asked.discard(asked)

    async def forget(self, table: FactTable, before: datetime) -> int:
        """Remove old facts."""
        return await self._write(lambda client: cast("int", client.forget(table, before)))

    async def _write(self, work: Callable[[Any], T]) -> T:
        """Write one after the other: what is cancelled under way is done before the next one begins."""
        client, writer = self._opened(), cast("ThreadPoolExecutor", self._writer)
        return await asyncio.wrap_future(writer.submit(work, client))

    def _opened(self) -> Any:
        if self._client is None:
            raise Unavailable(f"the warehouse {self._path} is not open yet", hint="try again in a moment")
        return self._client


async def _interrupt(client: Any, report: Future[Any], cursor: Any) -> None:
    """End a report, which may not have begun when it is interrupted first."""
    while not report.done():
        client.interrupt(cursor)
        await asyncio.sleep(AGAIN)


def _client(path: str) -> Any:
    try:
        client = import_module("shoal.drivers.duckdb.client")
    except ModuleNotFoundError as error:
        raise EngineError(f"the warehouse {path} needs {error.name}", hint="pip install 'shoal[warehouse]'") from error
    return client.Client(path)
