"""What the transactions of one process on an engine of documents share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from shoal.drivers.base import Table
from shoal.drivers.base.documents.engine import Engine
from shoal.drivers.base.documents.locks import Keeper


@dataclass(frozen=True, slots=True)
class Ground:
    """The engine, whoever keeps its locks, and which tables have a place there."""

    engine: Engine
    keeper: Keeper
    now: Callable[[], datetime]
    declared: set[str] = field(default_factory=set)
    """Tables whose place was made."""

    async def declare(self, table: Table) -> None:
        """Make the place of a table, once in a process."""
        if table.name not in self.declared:
            await self.engine.declare(table, table.indexes)
            self.declared.add(table.name)
