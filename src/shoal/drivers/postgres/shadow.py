"""Twins of tables: filled beside them, then put in their place under every name that they had.

A twin is made by ``create table (like ... including all)``. What that leaves out, and the swap would lose or break, is
refused: foreign keys, triggers, policies, views, sequences, inheritance and other roles' rights (PostgreSQL
documentation, CREATE TABLE, "LIKE source_table").
"""

import hashlib
from collections.abc import Sequence
from typing import Protocol, cast

import msgspec

from shoal.drivers.base import Row, Table
from shoal.drivers.postgres.client import Link
from shoal.drivers.postgres.sql import quote
from shoal.errors import EngineError

LOCK_TIMEOUT = "3s"
"""So long a swap waits for those who read the table; who comes later waits for it meanwhile."""

_NAME_LIMIT = 63
"""Bytes of an identifier."""

_FIND = """
select n.nspname as schema, c.relname as name, c.reloptions as options
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1)
"""

_OBSTACLES = """
select 'foreign key ' || conname as what from pg_constraint
where contype = 'f' and (conrelid = to_regclass($1) or confrelid = to_regclass($1))
union all select 'trigger ' || tgname from pg_trigger where tgrelid = to_regclass($1) and not tgisinternal
union all select 'policy ' || polname from pg_policy where polrelid = to_regclass($1)
union all select 'view ' || c.relname from pg_depend d
join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid join pg_class c on c.oid = r.ev_class
where d.refobjid = to_regclass($1) and c.oid <> d.refobjid
union all select 'sequence ' || c.relname from pg_depend d
join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid and c.relkind = 'S'
where d.refobjid = to_regclass($1)
union all select 'inheritance' from pg_inherits where inhrelid = to_regclass($1) or inhparent = to_regclass($1)
union all select 'rights of ' || case a.grantee when 0 then 'PUBLIC' else pg_get_userbyid(a.grantee)::text end
from pg_class c, aclexplode(c.relacl) a where c.oid = to_regclass($1) and a.grantee <> c.relowner
union all select 'partitioning' from pg_class where oid = to_regclass($1) and relkind <> 'r'
"""

_INDEXES = """
with named as (
    select indrelid, c.relname as name, indisprimary, indisunique, def,
           row_number() over (partition by indrelid, indisprimary, indisunique, def order by c.relname) as number
    from pg_index join pg_class c on c.oid = indexrelid,
    lateral (select regexp_replace(pg_get_indexdef(indexrelid), '^.*? USING ', '') as def)
    where indrelid in (to_regclass($1), to_regclass($2))
)
select live.name as live, twin.name as twin from named live
join named twin using (indisprimary, indisunique, def, number)
where live.indrelid = to_regclass($1) and twin.indrelid = to_regclass($2)
"""
# The same definition may occur more than once; which of the equal ones gets which of the names does not matter.


class Statements(Protocol):
    """Where statements run: a connection, or a transaction on one."""

    async def fetch(self, sql: str, args: Sequence[object] = ()) -> Sequence[Row]:
        """Run one statement and return its rows."""
        ...

    async def execute(self, sql: str, args: Sequence[object] = ()) -> None:
        """Run statements."""
        ...


async def make(link: Link, table: Table) -> Table:
    """Make an empty twin in place of an older one."""
    live, twin = await _find(link, table), _twin(table)
    obstacles = sorted({str(row["what"]) for row in await link.fetch(_OBSTACLES, [quote(table.name)])})
    if obstacles:
        raise EngineError(
            f"table {table.name} cannot be built anew beside itself, because of: {', '.join(obstacles)}",
            hint="a projection's table stands for itself: drop these in a migration",
        )
    options = cast("Sequence[str] | None", live["options"])
    storage = f" with ({', '.join(options)})" if options else ""
    await link.execute(
        f"drop table if exists {quote(twin.name)};"
        f"create table {quote(twin.name)} (like {_full(live)} including all){storage}"
    )
    return twin


async def remove(link: Link, table: Table) -> None:
    """Drop the twin."""
    await link.execute(f"drop table if exists {quote(_twin(table).name)}")


async def replace(link: Statements, table: Table, twin: Table) -> None:
    """Put a twin in the place of its table, within a transaction; names of indexes and their constraints stay."""
    live = await _find(link, table)
    schema, name = quote(str(live["schema"])), quote(str(live["name"]))
    renamed = await link.fetch(_INDEXES, [quote(table.name), quote(twin.name)])
    twin_schema, twin_name = (quote(part) for part in twin.name.split(".", 1))
    statements = [
        f"set local lock_timeout = '{LOCK_TIMEOUT}'",
        f"analyze {quote(twin.name)}",  # the first readers should not plan for an empty table
        f"drop table {_full(live)}",
        f"alter table {twin_schema}.{twin_name} set schema {schema}",
        f"alter table {schema}.{twin_name} rename to {name}",
        *(f"alter index {schema}.{_whole(row['twin'])} rename to {_whole(row['live'])}" for row in renamed),
    ]
    await link.execute("; ".join(statements))


async def _find(link: Statements, table: Table) -> Row:
    found = await link.fetch(_FIND, [quote(table.name)])
    if not found:
        raise EngineError(f"there is no table {table.name}", hint="create it in a numbered migration")
    return found[0]


def _full(live: Row) -> str:
    return f"{_whole(live['schema'])}.{_whole(live['name'])}"


def _whole(name: object) -> str:
    """Quote a name that may itself hold dots."""
    return '"' + str(name).replace('"', '""') + '"'


def _twin(table: Table) -> Table:
    name = f"twin_{table.name.replace('.', '_')}"
    if len(name.encode()) > _NAME_LIMIT:
        name = f"twin_{hashlib.sha256(table.name.encode()).hexdigest()[:32]}"
    return msgspec.structs.replace(table, name=f"shoal.{name}")
