"""A migration takes away what the version that still runs needs.

## What it does

Looks in the migrations of PostgreSQL for tables and columns of earlier files that are dropped or renamed, and for
columns that must be filled although older versions do not know them: `ADD COLUMN ... NOT NULL` without a default. A
table that is renamed is not found where the same file makes a view of its old name.

## Why

The first replica of a new version migrates, and until the last one is replaced the older ones read and write the same
tables. What they need has to stay until none of them is left: first comes what is new, then versions that use it alone,
and only then goes what is old. The same holds when the new version has to be taken back.

## Bad

```python
from shoal import Postgres, Service, System

orders = Service("orders", store=Postgres())
system = System("shop", services=[orders])
```

```sql title="migrations/001_orders.sql"
CREATE TABLE orders (order_id text PRIMARY KEY, total integer NOT NULL, note text);
```

```sql title="migrations/002_currency.sql"
ALTER TABLE orders ADD COLUMN currency text NOT NULL;  -- <- SH211
ALTER TABLE orders DROP COLUMN note;  -- <- SH211
ALTER TABLE orders RENAME COLUMN total TO amount;  -- <- SH211
```

## Good

A column that older versions do not know has a default. What goes later says since when nobody uses it.

```python
from shoal import Postgres, Service, System

orders = Service("orders", store=Postgres())
system = System("shop", services=[orders])
```

```sql title="migrations/001_orders.sql"
CREATE TABLE orders (order_id text PRIMARY KEY, total integer NOT NULL, note text);
```

```sql title="migrations/002_currency.sql"
ALTER TABLE orders ADD COLUMN currency text NOT NULL DEFAULT 'EUR';
ALTER TABLE orders ADD COLUMN amount bigint;
```

```sql title="migrations/003_notes.sql"
-- shoal: ignore[SH211] no version since 1.4 reads or writes it
ALTER TABLE orders DROP COLUMN note;
```

## Options

- `applied` (none): service → number of its latest migration that has run everywhere, such as `{ orders = 12 }`. What
  has run cannot be changed any more, and is not looked at.
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Rule
from shoal.check.sql import Migration, Table
from shoal.check.sql.migrating import Applied, Change, changes
from shoal.check.sql.tables import added, dropped_column, renamed
from shoal.check.sql.tokens import Tokens, begins, has, named, parts, without
from shoal.check.subject import Subject

LATER = "leave it until no version needs it; when that is so: -- shoal: ignore[SH211] no version since ... uses it"


def find(subject: Subject, options: Applied) -> Iterator[Finding]:
    """Find what older versions lose."""
    for change in changes(subject, options):
        said = change.said
        for part in parts(without(said[2:], "if", "exists")) if begins(said, "drop", "table") else ():
            if named(part)[0] in change.old:
                yield _finding(change, said, f"the table {named(part)[0]} is dropped", LATER)
        for table, action in change.actions:
            yield from _altering(change, table, action)


def _altering(change: Change, table: Table, action: Tokens) -> Iterator[Finding]:
    if (column := added(action)) is not None:
        if _demanded(column):
            name = column[0].text
            what = f"{table.name}.{name} must be filled, and older versions do not know it"
            help_ = "give it a DEFAULT, or let it be null until no older version is left"
            yield _finding(change, action, what, help_, "and where the table has rows the migration itself fails")
    elif begins(action, "rename", "to"):
        if table.name not in _views(change.migration):
            help_ = f"let the same file keep the old name as a view of it: CREATE VIEW {table.name} AS ..."
            yield _finding(change, action, f"the table {table.name} gets another name", help_)
    elif (moved := renamed(action)) is not None:
        help_ = f"add {moved[1]}, write both, and drop {moved[0]} when no version uses it any more"
        yield _finding(change, action, f"the column {table.name}.{moved[0]} gets another name", help_)
    elif (name := dropped_column(action)) in table.columns:
        yield _finding(change, action, f"the column {table.name}.{name} is dropped", LATER)


def _demanded(column: Tokens) -> bool:
    texts = {token.text for token in column}
    gives = {"default", "generated", "serial", "bigserial", "smallserial"}
    return (has(column, "not", "null") or has(column, "primary", "key")) and not texts & gives


def _views(migration: Migration) -> set[str]:
    found = (without(said[1:], "or", "replace") for said in migration.statements if begins(said, "create"))
    return {named(rest[1:])[0] for rest in found if begins(rest, "view")}


def _finding(change: Change, said: Tokens, what: str, help_: str, more: str = "") -> Finding:
    service = change.migration.service.name
    return Finding(
        where=change.migration.place(said[0]),
        message=what,
        help=help_,
        impact=f"replicas of the version of {service} that runs meanwhile fail" + (f", {more}" if more else ""),
        severity="error" if more else None,
    )


RULE = Rule(
    code="SH211",
    name="migration-breaks",
    severity="warning",
    summary="a migration takes away what the version that still runs needs",
    page=__doc__,
    find=find,
    options=Applied,
    answers=("Database",),
    needs=frozenset({"declarations"}),
)
