"""What every warehouse refuses alike: unknown tables, columns of another kind, batches that do not follow."""

from collections.abc import Mapping

from shoal.drivers.base.warehouse import FactBatch, FactTable
from shoal.errors import Conflict, EngineError, MigrationError


def prepared(tables: Mapping[str, FactTable], name: str) -> FactTable:
    """Return a table that was prepared; raises `EngineError` for another one."""
    found = tables.get(name)
    if found is None:
        raise EngineError(f"the warehouse has no table {name}", hint="prepare it first")
    return found


def gap(batch: FactBatch, latest: str) -> Conflict:
    """Say that a batch does not follow the latest one of its source, so that one side has lost what it had."""
    return Conflict(
        f"a batch after {batch.after or 'none'} would follow {latest or 'none'}",
        hint="the warehouse and the store of its service are of different times: bring both back from one copy",
    )


def other_kind(table: FactTable, column: str, found: str, wanted: str) -> MigrationError:
    """Say that a column holds something else than its field."""
    return MigrationError(
        f"column {column} of {table.name} holds {found}, not {wanted}",
        hint="give the field another name: what was appended stays",
    )
