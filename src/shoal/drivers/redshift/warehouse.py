"""`base.Warehouse` on Redshift Serverless: each batch is a transaction of its own, by which its id is noted, too."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from shoal.drivers.base import FactBatch, FactTable, ReportQuery, Row, check_columns
from shoal.drivers.base.facts import gap, other_kind, prepared
from shoal.drivers.redshift import sql
from shoal.drivers.redshift.statements import Refused, Statements


class RedshiftWarehouse:
    """One database. Several processes may read it; one at a time appends."""

    def __init__(self, statements: Statements, every: float) -> None:
        self._statements, self.every = statements, every
        self._tables: dict[str, FactTable] = {}
        self._turn = asyncio.Lock()
        """Transactions that change one table wait for each other, or end each other; so ours wait here."""

    async def open(self) -> None:
        """Make the table of batches, if it is not there."""
        await self._statements.ask(sql.MAKE_BATCHES)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._statements.close()

    async def prepare(self, tables: Sequence[FactTable]) -> None:
        """Make and widen tables."""
        for table in tables:
            present = await self._present(table)
            if not present:
                await self._statements.ask(sql.make(table))
            for column in table.columns if present else ():
                if column.name not in present:
                    await self._widen(table, column.name)
        self._tables |= {table.name: table for table in tables}

    async def append(self, batch: FactBatch) -> bool:
        """Append a batch once."""
        for name, columns in batch.facts:
            check_columns(prepared(self._tables, name), columns)
        texts, parameters = sql.append(batch, self._tables)
        async with self._turn:
            latest = await self.latest(batch.source)
            if latest == batch.id:
                return False
            if latest == batch.after:
                if await self._statements.together(texts, parameters):
                    return True
                latest = await self.latest(batch.source)
                if latest == batch.id:  # whoever had the right before was slow, and appended the same
                    return False
        raise gap(batch, latest)

    async def latest(self, source: str) -> str:
        """Read the id of the latest batch."""
        found = await self._statements.ask(sql.LATEST, {"source": source})
        return str(found.rows[0][0]) if found.rows else ""

    async def report(self, query: ReportQuery) -> Sequence[Row]:
        """Answer a question; Redshift folds names to lower case, so that values are known by their order."""
        prepared(self._tables, query.table.name)
        found = await self._statements.ask(*sql.select(query))
        names = [*(group.name for group in query.groups), *(measure.name for measure in query.measures)]
        return [dict(zip(names, row, strict=True)) for row in found.rows]

    async def forget(self, table: FactTable, before: datetime) -> int:
        """Remove old facts."""
        async with self._turn:
            return (await self._statements.ask(*sql.forget(prepared(self._tables, table.name), before))).changed

    async def _present(self, table: FactTable) -> frozenset[str]:
        """Name the columns that there are, or raise `MigrationError` where one holds something else."""
        found = await self._statements.ask(sql.PRESENT, {"name": table.name})
        present = {str(name): str(kind) for name, kind in found.rows}
        for column in table.columns:
            shown = sql.SHOWN[column.kind]
            if present.get(column.name, shown) != shown:
                raise other_kind(table, column.name, present[column.name], shown)
        return frozenset(present)

    async def _widen(self, table: FactTable, name: str) -> None:
        """Add a column, unless another process has meanwhile: the engine knows no "if it is not there"."""
        kind = next(column.kind for column in table.columns if column.name == name)
        try:
            await self._statements.ask(sql.widen(table, name, kind))
        except Refused:
            if name not in await self._present(table):
                raise
