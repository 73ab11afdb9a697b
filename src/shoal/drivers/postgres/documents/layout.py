"""Where documents lie: a schema beside the service's own, made as it is needed."""

import hashlib
from collections.abc import Sequence

from shoal.drivers.base import Table

SCHEMA = "documents"
LOCKS_NAME = "shoal.locks"
LOCKS = 'documents."shoal.locks"'
COUNTER = "counter "
"""How the names of counters begin."""

_LONGEST = 63
"""Bytes of a name (PostgreSQL documentation, section 4.1.1)."""

NAMES = """
select relname as name from pg_class where relnamespace = to_regnamespace('documents')
"""

SORTED = """
select datlocprovider = 'b' or upper(datcollate) in ('C', 'POSIX', 'C.UTF-8', 'C.UTF8') as yes
from pg_database where datname = current_database()
"""
"""Whether text sorts by code points: JSONB is compared in the order of the database, and by no other."""

LOST, CHANGED = "SH001", "SH002"
"""What `documents.refuse` is told: a lock was lost, a document has changed."""

BASE = """
create schema if not exists documents;
create unlogged table if not exists documents."shoal.locks" ( -- after a crash nobody has one
    name text collate "C" primary key,
    owner text collate "C" not null,
    until timestamptz not null
);
create index if not exists "shoal.locks of" on documents."shoal.locks" (owner);
create or replace function documents.refuse(state text, what text) returns bigint language plpgsql as $$
begin
    raise exception using errcode = state, message = what;
end
$$
"""

LATCH = f"select pg_advisory_xact_lock(hashtext('{SCHEMA}'))"
"""One process makes tables at a time."""


def place(name: str) -> str:
    """Spell the table of a name."""
    return f"{SCHEMA}.{quoted(short(name))}"


def short(name: str) -> str:
    """Give a name that PostgreSQL does not cut."""
    if len(name.encode()) <= _LONGEST:
        return name
    return f"{name.encode()[:40].decode(errors='ignore')} {hashlib.sha256(name.encode()).hexdigest()[:16]}"


def quoted(name: str) -> str:
    """Quote one name; a dot is a part of it."""
    return '"' + name.replace('"', '""') + '"'


def column(table: Table, name: str) -> tuple[str, str]:
    """Spell a column, and the cast of what it is compared with."""
    if name == table.key:
        return "key", ""
    return "(body->'" + name.replace("'", "''") + "')", "::jsonb"


def primary(table: Table) -> str:
    """Name the index of the key."""
    return short(f"{table.name} key")


def unique(table: Table, name: str) -> str:
    """Name the index of a unique column."""
    return short(f"{table.name} unique {name}")


def statements(table: Table, indexes: Sequence[Sequence[str]]) -> dict[str, str]:
    """Write what makes a table and its indexes, by the name of each."""
    at, named = place(table.name), quoted(primary(table))
    made = {
        short(table.name): f'create table if not exists {at} (key text collate "C" constraint {named} primary key, '
        "version bigint not null, body jsonb not null)"
    }
    for one in sorted(table.unique):
        name = unique(table, one)
        made[name] = f"create unique index if not exists {quoted(name)} on {at} ({column(table, one)[0]})"
    for some in indexes:
        name = short(f"{table.name} by {' '.join(some)}")
        columns = ", ".join(column(table, one)[0] for one in some)
        made[name] = f"create index if not exists {quoted(name)} on {at} ({columns})"
    return made


def counter(name: str) -> tuple[str, str]:
    """Name a counter's sequence, and write what makes it."""
    called = short(f"{COUNTER}{name}")
    return called, f"create sequence if not exists {SCHEMA}.{quoted(called)}"
