"""A migration keeps everybody waiting while it works through a whole table.

## What it does

Looks in the migrations of PostgreSQL for statements that take as long as a table is large, and lock it meanwhile: an
index on a table of an earlier file, another type of a column, `SET NOT NULL`, a constraint that is checked at once, a
column with a value of its own for each row, an `UPDATE` or `DELETE` of all rows. `CONCURRENTLY` and `VACUUM` are found
as well: each file is one transaction, in which they fail. Of a table that the same file creates, nothing is found.

## Why

Each file runs in one transaction, when the first replica of the new version starts. Until its end the older replicas,
which still serve everybody, wait for the lock. On ten rows nobody notices; on ten million all requests time out.

## Bad

```python
from shoal import Postgres, Service, System

orders = Service("orders", store=Postgres())
system = System("shop", services=[orders])
```

```sql title="migrations/001_orders.sql"
CREATE TABLE orders (order_id text PRIMARY KEY, customer_id text NOT NULL, total integer NOT NULL, note text);
```

```sql title="migrations/002_totals.sql"
CREATE INDEX orders_by_customer ON orders (customer_id);  -- <- SH210
ALTER TABLE orders ALTER COLUMN total TYPE bigint;  -- <- SH210
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;  -- <- SH210
ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0);  -- <- SH210
```

## Good

The index was built beforehand, by hand, with `CREATE INDEX CONCURRENTLY`: the file finds it where it is, and makes it
where the table is empty. Constraints begin with what is written from now on; the next file looks at the old rows, and
locks nobody out.

```python
from shoal import Postgres, Service, System

orders = Service("orders", store=Postgres())
system = System("shop", services=[orders])
```

```sql title="migrations/001_orders.sql"
CREATE TABLE orders (order_id text PRIMARY KEY, customer_id text NOT NULL, total integer NOT NULL, note text);
```

```sql title="migrations/002_totals.sql"
CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer_id);
ALTER TABLE orders ADD COLUMN total_cents bigint;
ALTER TABLE orders ADD CONSTRAINT noted CHECK (note IS NOT NULL) NOT VALID;
ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0) NOT VALID;
```

```sql title="migrations/003_checked.sql"
ALTER TABLE orders VALIDATE CONSTRAINT noted;
ALTER TABLE orders VALIDATE CONSTRAINT positive;
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
```

## Options

- `applied` (none): service → number of its latest migration that has run everywhere, such as `{ orders = 12 }`. What
  has run cannot be changed any more, and is not looked at.
"""

from collections.abc import Iterator
from typing import NamedTuple

from shoal.check.finding import Finding
from shoal.check.rule import Rule
from shoal.check.sql import Table
from shoal.check.sql.migrating import Applied, Change, changes
from shoal.check.sql.tables import added, indexed, kind
from shoal.check.sql.tokens import Tokens, begins, has, named, without
from shoal.check.subject import Subject
from shoal.model.finding import Severity

ONCE_A_ROW = frozenset(
    {"random", "gen_random_uuid", "uuid_generate_v4", "uuidv4", "uuidv7", "clock_timestamp", "nextval", "timeofday"}
)
"""Functions that give another value for each row, so that a column with them is written into each."""

COUNTED = frozenset({"serial", "bigserial", "smallserial", "serial4", "serial8"})
"""Types whose values are another one for each row."""

CONCURRENTLY = "build it by hand beforehand: CREATE{unique} INDEX CONCURRENTLY ...; then {then}"


class Wait(NamedTuple):
    """Why a statement takes as long as a table is large."""

    what: str
    help: str


def find(subject: Subject, options: Applied) -> Iterator[Finding]:
    """Find statements that lock a table for as long as it is large."""
    for change in changes(subject, options):
        if (failing := _impossible(change.said)) is not None:
            yield _finding(change, change.said, failing, "it fails when the new version is started", "error")
        elif (waiting := _waiting(change)) is not None:
            yield _finding(change, change.said, waiting)
        for table, action in change.actions:
            if (waiting := _altering(table, action)) is not None:
                yield _finding(change, action, waiting)


def _impossible(said: Tokens) -> Wait | None:
    """Tell what PostgreSQL refuses within a transaction (its manual: CREATE INDEX, VACUUM)."""
    if has(said[:5], "concurrently"):
        help_ = "build it by hand beforehand, and let the file find it: CREATE INDEX IF NOT EXISTS ..."
        return Wait("a migration is a transaction, in which CONCURRENTLY is refused", help_)
    if begins(said, "vacuum"):
        return Wait("a migration is a transaction, in which VACUUM is refused", "leave it out, or do it by hand")
    return None


def _waiting(change: Change) -> Wait | None:
    said = change.said
    if (index := indexed(said)) is not None:
        if index[0] not in change.old or has(said, "if", "not", "exists"):
            return None
        unique = " UNIQUE" if begins(said, "create", "unique") else ""
        then = "say CREATE INDEX IF NOT EXISTS here, which finds it".replace(" INDEX", f"{unique} INDEX")
        return Wait(
            f"nobody writes to {index[0]} until its index is built", CONCURRENTLY.format(unique=unique, then=then)
        )
    verb = said[0].text
    if verb in ("update", "delete") and not has(said, "where"):
        name, _ = named(without(without(said[1:], "from"), "only"))
        changing = "changed" if verb == "update" else "removed"
        return Wait(f"every row of {name} is {changing} in one transaction", "do it in parts, in a seed or a schedule")
    return None


def _altering(table: Table, action: Tokens) -> Wait | None:
    if (column := added(action)) is not None:
        return _adding(table, column)
    if begins(action, "alter"):
        return _changing(table, without(action[1:], "column"))
    rest = action[3:] if begins(action, "add", "constraint") else action[1:]
    if not begins(action, "add") or has(rest, "not", "valid") or has(rest, "using", "index"):
        return None
    if begins(rest, "unique") or begins(rest, "primary"):
        then = "ADD CONSTRAINT ... USING INDEX"
        return Wait(
            f"nobody reads or writes {table.name} until the index of the constraint is built",
            CONCURRENTLY.format(unique=" UNIQUE", then=then),
        )
    return Wait(
        f"nobody writes to {table.name} until all its rows have met the constraint",
        "add it as NOT VALID; VALIDATE CONSTRAINT in the next file locks nobody out",
    )


def _adding(table: Table, column: Tokens) -> Wait | None:
    name = column[0].text
    if has(column, "unique") or has(column, "primary", "key"):
        help_ = CONCURRENTLY.format(unique=" UNIQUE", then="ADD CONSTRAINT ... USING INDEX")
        return Wait(
            f"nobody reads or writes {table.name} until the index of {name} is built", f"add the column alone; {help_}"
        )
    texts = {token.text for token in column}
    each = kind(column) in COUNTED or "identity" in texts or {"generated", "stored"} <= texts
    if each or ("default" in texts and texts & ONCE_A_ROW):
        return Wait(
            f"{table.name} is written anew, since {name} has a value of its own in each row",
            "add the column without a value, and fill it in parts",
        )
    return None


def _changing(table: Table, rest: Tokens) -> Wait | None:
    name = rest[0].text if rest else ""
    if has(rest, "set", "not", "null") and name not in table.filled:
        return Wait(
            f"nobody reads or writes {table.name} until {name} has been looked at in all its rows",
            f"add CHECK ({name} IS NOT NULL) NOT VALID, VALIDATE it in the next file, and say this in one after it",
        )
    retyped = without(rest[1:], "set", "data")
    if begins(retyped, "type") and not _wider(table.columns.get(name, ""), kind(retyped)):
        return Wait(
            f"{table.name} is written anew, since {name} gets another type",
            "add a column of the new type, write both, fill it in parts, and read it from the next version on",
        )
    return None


def _wider(before: str, after: str) -> bool:
    """Tell whether the rows stay as they are: a text that may be longer (manual of PostgreSQL, ALTER TABLE)."""
    words = ("varchar", "charactervarying", "text")
    return before.startswith(words) and after in words


def _finding(
    change: Change, said: Tokens, waiting: Wait, impact: str = "", severity: Severity | None = None
) -> Finding:
    return Finding(
        where=change.migration.place(said[0]),
        message=waiting.what,
        help=waiting.help,
        impact=impact or f"the replicas of {change.migration.service.name} that serve meanwhile wait for the lock",
        severity=severity,
    )


RULE = Rule(
    code="SH210",
    name="migration-locks",
    severity="warning",
    summary="a migration keeps everybody waiting while it works through a whole table",
    page=__doc__,
    find=find,
    options=Applied,
    answers=("Database",),
    needs=frozenset({"declarations"}),
)
