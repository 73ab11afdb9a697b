"""`base.Warehouse` on DuckDB: each call in a thread, so that the service goes on meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib import import_module
from typing import Any, TypeVar, cast

from shoal.drivers.base import FactBatch, FactTable, ReportQuery, Row
from shoal.errors import EngineError, Unavailable

T = TypeVar("T")

THREADS = 3
"""One that appends, and so many less one reports at a time; DuckDB has threads of its own for each."""


class DuckWarehouse:
    """One file, which one process has."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._client: Any = None
        self._threads: ThreadPoolExecutor | None = None
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        """Import the library, open the file."""
        if self._client is None:
            self._threads = self._threads or ThreadPoolExecutor(THREADS, thread_name_prefix="warehouse")
            self._client = await self._run(lambda: _client(self._path))

    async def close(self) -> None:
        """Wait for what is under way, then let go of the file."""
        client, threads = self._client, self._threads
        self._client = self._threads = None
        if threads is None:
            return
        async with self._writing:
            if client is not None:
                await asyncio.wrap_future(threads.submit(client.close))
        threads.shutdown(wait=False)

    async def prepare(self, tables: Sequence[FactTable]) -> None:
        """Make and widen tables."""
        await self._write(lambda client: client.prepare(tables))

    async def append(self, batch: FactBatch) -> bool:
        """Append a batch once."""
        return await self._write(lambda client: cast("bool", client.append(batch)))

    async def latest(self, source: str) -> str:
        """Read the id of the latest batch."""
        return await self._ask(lambda client: cast("str", client.latest(source)))

    async def report(self, query: ReportQuery) -> Sequence[Row]:
        """Answer a question."""
        return await self._ask(lambda client: cast("Sequence[Row]", client.report(query)))

    async def forget(self, table: FactTable, before: datetime) -> int:
        """Remove old facts."""
        return await self._write(lambda client: cast("int", client.forget(table, before)))

    async def _write(self, work: Callable[[Any], T]) -> T:
        """Write one after the other; one that is cancelled is waited for, so that the next one finds it done."""
        async with self._writing:
            task = asyncio.ensure_future(self._ask(work))
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait([task])
                raise

    async def _ask(self, work: Callable[[Any], T]) -> T:
        client = self._client
        if client is None:
            raise Unavailable(f"the warehouse {self._path} is not open yet", hint="try again in a moment")
        return await self._run(lambda: work(client))

    async def _run(self, work: Callable[[], T]) -> T:
        assert self._threads is not None, "opened first"  # noqa: S101
        return await asyncio.wrap_future(self._threads.submit(work))


def _client(path: str) -> Any:
    try:
        client = import_module("shoal.drivers.duckdb.client")
    except ModuleNotFoundError as error:
        raise EngineError(f"the warehouse {path} needs {error.name}", hint="pip install 'shoal[warehouse]'") from error
    return client.Client(path)
