"""Tables of the framework's own that features declare: made and extended, never changed or dropped.

Keys that are text are in the order of their code points, whatever the database's own order is: ranges of them are read.
"""

from collections.abc import Iterator, Mapping, Sequence

from shoal.drivers.base import ColumnKind, OwnTable
from shoal.drivers.postgres.client import Link
from shoal.drivers.postgres.sql import quote

_TYPES: Mapping[ColumnKind, str] = {
    "text": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "time": "timestamptz",
    "json": "jsonb",
    "bytes": "bytea",
}

_KEEP = """
create or replace function shoal.refuse_change() returns trigger language plpgsql as
$refuse$ begin
  raise exception 'rows of shoal.% stay as they were written: no %', tg_table_name, lower(tg_op);
end $refuse$;
create trigger refuse_update before update on {name} for each row execute function shoal.refuse_change();
create trigger refuse_delete before delete on {name} for each row when (old.{until} > now())
  execute function shoal.refuse_change();
create trigger refuse_truncate before truncate on {name} for each statement execute function shoal.refuse_change()
""".strip()
"""Against mistakes and injected SQL; not against who owns the table, and could remove the triggers."""

_PRESENT = """
select c.relname as name, a.attname as column from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'shoal'
left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and c.relkind = 'r'
"""


async def missing(link: Link, own: Sequence[OwnTable]) -> str:
    """Write the script that makes what the database lacks; empty when it lacks nothing."""
    present: dict[str, set[str]] = {}
    for row in await link.fetch(_PRESENT) if own else ():
        present.setdefault(str(row["name"]), set()).add(str(row["column"]))
    return ";\n".join(statement for table in own for statement in _statements(table, present))


def _statements(table: OwnTable, present: Mapping[str, set[str]]) -> Iterator[str]:
    name, columns = quote(table.table.name), present.get(table.name)
    if columns is None:
        yield f"create table {name} ({', '.join(_column(table, *column) for column in table.columns)})"
        if table.kept_until:
            yield _KEEP.format(name=name, until=quote(table.kept_until))
    else:
        fresh = [column for column in table.columns if column[0] not in columns]
        yield from (f"alter table {name} add column {_column(table, *column)}" for column in fresh)
    for index in table.indexes:
        called = f"{table.name}_{'_'.join(index)}"
        if called not in present:
            yield f"create index {quote(called)} on {name} ({', '.join(map(quote, index))})"


def _column(table: OwnTable, column: str, kind: ColumnKind) -> str:
    if column != table.key:
        return f"{quote(column)} {_TYPES[kind]}"
    order = ' collate "C"' if kind == "text" else ""
    return f"{quote(column)} {_TYPES[kind]}{order} primary key"
