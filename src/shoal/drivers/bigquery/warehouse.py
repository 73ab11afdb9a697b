"""`base.Warehouse` on BigQuery: each batch is a transaction of its own, by which its id is noted, too."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from shoal.drivers.base import FactBatch, FactTable, ReportQuery, Row, check_columns, reports
from shoal.drivers.base.facts import gap, other_kind, prepared
from shoal.drivers.bigquery import sql
from shoal.drivers.bigquery.jobs import Jobs, Refused


class BigQueryWarehouse:
    """One dataset. Several processes may read it; one at a time appends."""

    every = 0.0

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._tables: dict[str, FactTable] = {}
        self._turn = asyncio.Lock()
        """Transactions that change one table abort each other, so that ours wait."""

    async def open(self) -> None:
        """Make the table of batches, if it is not there."""
        await self._jobs.ask(sql.MAKE_BATCHES)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._jobs.close()

    async def prepare(self, tables: Sequence[FactTable]) -> None:
        """Make and widen tables."""
        for table in tables:
            found = await self._jobs.ask(sql.PRESENT, [sql.text("name", table.name)])
            present = {str(row["column_name"]): str(row["data_type"]) for row in found.rows}
            _require_fit(table, present)
            if not present:
                await self._jobs.ask(sql.make(table))
            for column in table.columns if present else ():
                if column.name not in present:
                    await self._jobs.ask(sql.widen(table, column.name, column.kind))
        self._tables |= {table.name: table for table in tables}

    async def append(self, batch: FactBatch) -> bool:
        """Append a batch once."""
        for name, columns in batch.facts:
            check_columns(prepared(self._tables, name), columns)
        async with self._turn:
            latest = await self.latest(batch.source)
            if latest == batch.id:
                return False
            if latest == batch.after:
                try:
                    await self._jobs.ask(*sql.append(batch, self._tables))
                except Refused as error:
                    if sql.GAP not in error.message:
                        raise
                    latest = await self.latest(batch.source)
                    if latest == batch.id:  # an earlier try of ours, whose answer was lost
                        return True
                else:
                    return True
        raise gap(batch, latest)

    async def latest(self, source: str) -> str:
        """Read the id of the latest batch."""
        found = await self._jobs.ask(sql.LATEST, [sql.text("source", source)])
        return str(found.rows[0]["batch"]) if found.rows else ""

    async def report(self, query: ReportQuery) -> Sequence[Row]:
        """Answer a question."""
        prepared(self._tables, query.table.name)
        text, values = reports.select(query, sql.DIALECT)
        return (await self._jobs.ask(text, sql.parameters(values))).rows

    async def forget(self, table: FactTable, before: datetime) -> int:
        """Remove old facts."""
        async with self._turn:
            return (await self._jobs.ask(*sql.forget(prepared(self._tables, table.name), before))).changed


def _require_fit(table: FactTable, present: dict[str, str]) -> None:
    for column in table.columns:
        found = present.get(column.name, sql.TYPES[column.kind])
        if found != sql.TYPES[column.kind]:
            raise other_kind(table, column.name, found, sql.TYPES[column.kind])
