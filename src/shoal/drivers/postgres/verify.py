"""Compare what a service declares with what its database has."""

from collections.abc import Iterator, Sequence

from shoal.drivers.base import Table
from shoal.drivers.postgres.client import Link

_COLUMNS = """
select c.table_schema || '.' || c.table_name as full_name, c.table_name as name, c.column_name as column,
    c.data_type || coalesce('(' || c.character_maximum_length || ')', '') as data_type
from information_schema.columns c
where c.table_schema = any(current_schemas(false)) or c.table_schema || '.' || c.table_name = any($1::text[])
"""

_UNIQUE = """
select n.nspname || '.' || t.relname as full_name, t.relname as name, a.attname as column
from pg_index i
join pg_class t on t.oid = i.indrelid
join pg_namespace n on n.oid = t.relnamespace
join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
where i.indisunique and i.indnkeyatts = 1 and i.indpred is null and i.indisvalid
and (n.nspname = any(current_schemas(false)) or n.nspname || '.' || t.relname = any($1::text[]))
"""


async def verify(link: Link, tables: Sequence[Table]) -> Sequence[str]:
    """Say in sentences what is missing."""
    names = [table.name for table in tables]
    kinds: dict[str, dict[str, str]] = {}
    for row in await link.fetch(_COLUMNS, [names]):
        for name in (str(row["name"]), str(row["full_name"])):
            kinds.setdefault(name, {})[str(row["column"])] = str(row["data_type"])
    unique = {
        (str(row[name]), str(row["column"]))
        for row in await link.fetch(_UNIQUE, [names])
        for name in ("name", "full_name")
    }
    return [lack for table in tables for lack in _lacks(table, kinds.get(table.name), unique)]


def _lacks(table: Table, kinds: dict[str, str] | None, unique: set[tuple[str, str]]) -> Iterator[str]:
    if kinds is None:
        yield f"there is no table {table.name}"
        return
    for column in table.columns:
        if column not in kinds:
            yield f"table {table.name} lacks column {column}"
        elif column in table.json and kinds[column] not in ("json", "jsonb"):
            yield f"column {column} of table {table.name} is {kinds[column]}, not jsonb"
    for column in sorted({name for one in table.personal for name in (one.name, one.find)} & kinds.keys()):
        if kinds[column] not in ("text", "character varying"):
            yield f"column {column} of table {table.name} is {kinds[column]}, not text: what is personal is ciphertext"
    if table.key in kinds and (table.name, table.key) not in unique:
        yield f"table {table.name} has no primary key or unique index on {table.key} alone"
    for column in sorted(table.unique & kinds.keys()):
        if (table.name, column) not in unique:
            yield f"table {table.name} has no unique index on {column} alone"
