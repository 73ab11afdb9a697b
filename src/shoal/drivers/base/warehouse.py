"""A warehouse: tables of facts that only grow, filled in a chain of batches and read by reports."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from shoal.drivers.base.rows import Row
from shoal.errors import EngineError

FactKind = Literal["text", "integer", "number", "boolean", "time", "date"]
"""``integer`` has 64 bits; ``time`` is in UTC, to the microsecond."""

Aggregate = Literal["count", "distinct", "sum", "least", "greatest"]


class FactColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column of facts; any may be null."""

    name: str
    kind: FactKind


class FactTable(msgspec.Struct, frozen=True, kw_only=True):
    """Where facts of one type lie."""

    name: str
    columns: tuple[FactColumn, ...]
    time: str
    """Column that says when the fact happened; periods of reports, and ages, are told by it."""


class FactBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that are appended together, or not at all."""

    source: str
    """Whose chain of batches it belongs to."""
    id: str
    """Unique; the same id always means the same facts."""
    after: str
    """Id of the batch of its source before it; empty for the first one."""
    facts: tuple[tuple[str, tuple[Sequence[object], ...]], ...]
    """Name of a table, and its columns in order: each the values of one column, all equally many."""


def check_columns(table: FactTable, columns: Sequence[Sequence[object]]) -> None:
    """Raise `EngineError` unless there is a list for each column, all equally long: engines would fill up."""
    if len(columns) != len(table.columns) or len({len(column) for column in columns}) > 1:
        counts = [len(column) for column in columns]
        raise EngineError(f"a batch for {table.name} has {counts} values for its {len(table.columns)} columns")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows of a report are told apart by."""

    name: str
    column: str
    by_day: bool = False
    """Whether only the day of a time counts, in UTC."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says about the facts of a group; null values count for nothing."""

    name: str
    aggregate: Aggregate
    column: str = ""
    """Empty for ``count``."""


class ReportQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One question to one table. What every engine, SQL or not, can answer alike."""

    table: FactTable
    groups: tuple[Group, ...]
    measures: tuple[Measure, ...]
    where: Mapping[str, object] = {}
    """Column → value it must equal."""
    since: datetime | None = None
    """The first moment that counts."""
    until: datetime | None = None
    """The first moment that no longer counts."""
    order: tuple[str, ...] = ()
    """Groups and measures; a leading ``-`` means descending. The groups are always the last tie-breakers."""
    limit: int = 1000


class Warehouse(Protocol):
    """Opened once, used by many tasks at a time; only one of them appends."""

    every: float
    """Seconds for which facts should be gathered at least, where each batch is billed for itself; 0 otherwise."""

    async def open(self) -> None:
        """Connect; `Unavailable` when the engine does not answer, or when another process has what only one can."""
        ...

    async def close(self) -> None:
        """Let go of everything; what was appended stays."""
        ...

    async def prepare(self, tables: Sequence[FactTable]) -> None:
        """Make the tables that are missing, and add columns that are; nothing is changed or dropped.

        `MigrationError` for a column that is there with another kind.
        """
        ...

    async def append(self, batch: FactBatch) -> bool:
        """Append a batch durably, once however often it is tried; return False when it was there already.

        `Conflict`, and nothing is appended, unless it follows the latest batch of its source, or is that batch: the
        warehouse, or the source, has lost what it had.
        """
        ...

    async def latest(self, source: str) -> str:
        """Return the id of the latest batch of a source; empty when there is none."""
        ...

    async def report(self, query: ReportQuery) -> Sequence[Row]:
        """Answer a question from one consistent state."""
        ...

    async def forget(self, table: FactTable, before: datetime) -> int:
        """Remove the facts that happened before a moment; return how many."""
        ...
