"""Records are looked for by a field for which there is no index.

## What it does

Compares the conditions of `find` and `count` in handlers with the indexes, keys and unique columns that the service's
migrations make in PostgreSQL. A condition is served where an index begins with one of its fields. Of a table that no
migration makes, and of a condition that is put together elsewhere, nothing is said. A store of documents refuses such a
search by itself.

## Why

Without an index the database reads the whole table for each request, and throws nearly all of it away. It takes longer
with each row, and takes the memory in which other tables lie.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, internal, record

orders = Service("orders", store=Postgres())


@record("orders", key="order_id")
class Order(msgspec.Struct, frozen=True):
    order_id: str
    customer_id: str


@orders.get("/orders", access=internal)
async def list_orders(customer_id: str, tx: Transaction) -> list[Order]:
    \"\"\"List the orders of a customer.\"\"\"
    return await tx.find(Order, {"customer_id": customer_id}, limit=100)  # <- SH209


system = System("shop", services=[orders])
```

```sql title="migrations/001_orders.sql"
CREATE TABLE orders (order_id text PRIMARY KEY, customer_id text NOT NULL);
```

## Good

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, internal, record

orders = Service("orders", store=Postgres())


@record("orders", key="order_id")
class Order(msgspec.Struct, frozen=True):
    order_id: str
    customer_id: str


@orders.get("/orders", access=internal)
async def list_orders(customer_id: str, tx: Transaction) -> list[Order]:
    \"\"\"List the orders of a customer.\"\"\"
    return await tx.find(Order, {"customer_id": customer_id}, limit=100)


system = System("shop", services=[orders])
```

```sql title="migrations/001_orders.sql"
CREATE TABLE orders (order_id text PRIMARY KEY, customer_id text NOT NULL);
CREATE INDEX orders_by_customer ON orders (customer_id);
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.queries import Query, queries
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find searches that read a whole table."""
    for query in queries(subject):
        tables = subject.tables.get(query.handler.service.name)
        table = tables.get(query.table) if tables else None
        if table is None or not query.where:
            continue
        hashed = {f"{field}_find" for field in query.where}  # a personal field is found by the hash beside it
        if not table.finds({*query.where, *hashed}):
            yield _finding(query)


def _finding(query: Query) -> Finding:
    fields = sorted(query.where or ())
    return Finding(
        where=query.use.where,
        message=f"{query.name} is looked for by {' and '.join(fields)}, and no index of {query.table} begins with"
        f" {'it' if len(fields) == 1 else 'one of them'}",
        impact=f"each time all of {query.table} is read",
        help=f"CREATE INDEX IF NOT EXISTS {query.table}_by_{fields[0]} ON {query.table} ({', '.join(fields)}) in a"
        f" migration of {query.handler.service.name}; where there are rows, by hand beforehand, CONCURRENTLY",
    )


RULE = Rule(
    code="SH209",
    name="index-missing",
    severity="warning",
    summary="records are looked for by a field for which there is no index",
    page=__doc__,
    find=find,
    answers=("Database",),
    needs=frozenset({"source"}),
)
