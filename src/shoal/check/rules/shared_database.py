"""A service uses the tables of another one.

## What it does

Looks for three ways into the database of another service: SQL that names a table which the migrations of that service
make and one's own do not, in migrations and in `tx.fetch` and `tx.execute`; a setting whose name says that it is the
address of another service's database, such as `orders_database_url`; and such an address in the source.

Of a system in other files it looks at the addresses that services are told: two that lead to one database share it.
Where they lead to one host, and nobody says to which database there, that is a warning; where they only wait for it
when they start, a remark. Programs of one image, or built alike, are one service. Hosts of one name in two
projects or namespaces are two, and `localhost` is another one for each.

## Why

Whoever reads another service's tables depends on every column of them. The other team can change nothing any more
without asking, migrations of the one break the other, and a slow query of the one slows down both. And `shoal` gives
each service a database of its own with a role that opens no other: SQL that joins them does not run.

## Bad

```python
import msgspec

from shoal import Postgres, Service, Settings, System, Transaction, internal


class ReportSettings(Settings, frozen=True, kw_only=True):
    orders_database_url: str = ""  # <- SH201


orders = Service("orders", store=Postgres(migrations="orders"))
reports = Service("reports", store=Postgres(migrations="reports", sql=True), settings=ReportSettings)


class Sum(msgspec.Struct, frozen=True):
    total: int


@reports.get("/total", access=internal)
async def total(tx: Transaction) -> list[Sum]:
    \"\"\"Add up all orders.\"\"\"
    return await tx.fetch(Sum, "SELECT sum(total) AS total FROM orders")  # <- SH201


system = System("shop", services=[orders, reports])
```

```sql title="orders/001_orders.sql"
CREATE TABLE orders (order_id text PRIMARY KEY, total bigint NOT NULL);
```

```sql title="reports/001_reports.sql"
CREATE TABLE reports (day text PRIMARY KEY, order_id text
    REFERENCES orders);  -- <- SH201
```

## Good

```python
import msgspec

from shoal import Postgres, ReadModel, Service, System, Transaction, event, internal, record


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str
    total: int


orders = Service("orders", store=Postgres(migrations="orders"), publishes=[OrderPlaced])
reports = Service("reports", store=Postgres(migrations="reports"))


@record("sums", key="name")
class Sum(msgspec.Struct, frozen=True):
    name: str
    total: int = 0


sums = reports.projection("sums", records=[Sum])


@sums.on(OrderPlaced)
async def add(placed: OrderPlaced, records: ReadModel) -> None:
    \"\"\"Add up what is ordered.\"\"\"
    before = await records.get(Sum, "all") or Sum("all")
    records.put(Sum("all", before.total + placed.total))


@reports.get("/total", access=internal)
async def total(tx: Transaction) -> Sum:
    \"\"\"Show the sum of all orders.\"\"\"
    return await tx.require(Sum, "all")


system = System("shop", services=[orders, reports])
```

```sql title="orders/001_orders.sql"
CREATE TABLE orders (order_id text PRIMARY KEY, total bigint NOT NULL);
```

```sql title="reports/001_sums.sql"
CREATE TABLE sums (name text PRIMARY KEY, total bigint NOT NULL);
```
"""

import ast
import re
from collections.abc import Iterator, Mapping

from shoal.check.finding import Finding, Note, Place
from shoal.check.importing.sharing import Shared, shared
from shoal.check.queries import sql
from shoal.check.rule import Nothing, Rule
from shoal.check.sql.tables import mentioned
from shoal.check.sql.tokens import statements
from shoal.check.subject import Subject
from shoal.model import names
from shoal.model.service import Service

ADDRESS = re.compile(r"(?:postgres(?:ql)?|mysql|mariadb|mongodb)(?:\+\w+)?://[^/\s]+/(?P<database>\w+)(?:\?\S*)?")
"""The address of a database, as a URL."""

WORDS = frozenset({"database", "db", "dsn", "postgres", "postgresql", "mysql", "mongo", "mongodb"})
"""What settings call the address of a database."""


Owners = Mapping[str, Service]
"""What belongs to whom: a database, or a table, also as ``database.table``."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find ways into the databases of other services."""
    if subject.imported is not None:
        yield from map(_shared, shared(subject.imported))
        return
    databases = {names.database(service.name): service for service in subject.system.services if service.store}
    owners: dict[str, Service] = {}
    for database, service in databases.items():
        for table in subject.tables.get(service.name, ()):
            owners.setdefault(table, service)
            owners[f"{database}.{table}"] = service
    for table, where, service in _mentions(subject):
        owner = owners.get(table, service)
        if owner is not service and table not in subject.tables.get(service.name, ()):
            yield _table(service, table, owner, where)
    for service in subject.system.services:
        yield from _set(subject, service, databases)
    yield from _written(subject, databases)


def _mentions(subject: Subject) -> Iterator[tuple[str, Place, Service]]:
    """List the tables that migrations and the SQL of handlers name, where, and whose SQL it is."""
    for migration in (one for own in subject.migrations.values() for one in own):
        for said in migration.statements:
            yield from ((table, migration.place(token), migration.service) for table, token in mentioned(said))
    for handler in subject.graph.handlers:
        for use in subject.graph.uses(handler):
            for said in statements(sql(subject, use)):
                yield from ((table, use.where, handler.service) for table, _ in mentioned(said))


def _set(subject: Subject, service: Service, databases: Owners) -> Iterator[Finding]:
    """Find settings that are called after the database of another service."""
    for setting in service.settings:
        for name, owner in databases.items() if WORDS & {*setting.name.lower().split("_")} else ():
            rest = f"_{setting.name.lower()}_".partition(f"_{name}_")
            if owner is not service and rest[1] and WORDS & {*rest[0].split("_"), *rest[2].split("_")}:
                yield Finding(
                    where=_declared(subject, service, setting.name),
                    message=f"{service.name} is told the address of the database of {owner.name}: {setting.name}",
                    help=f"ask {owner.name} by a contract, or keep what is needed of its events in a projection",
                )


def _declared(subject: Subject, service: Service, name: str) -> Place:
    """Find the field of a class of settings; where there are several of that name, say where the service is."""
    found = [
        module.place(node)
        for module in subject.source.modules
        for owner in module.every(ast.ClassDef)
        if any(module.name_of(base) == "shoal.Settings" for base in owner.bases)
        for node in owner.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name
    ]
    return found[0] if len(found) == 1 else subject.place(service.source)


def _written(subject: Subject, databases: Owners) -> Iterator[Finding]:
    """Find addresses of databases in the source: nobody needs one who uses only its own."""
    for module in subject.source.modules:
        for node in module.every(ast.Constant):
            address = ADDRESS.fullmatch(node.value) if isinstance(node.value, str) else None
            if address and address["database"] in databases:
                owner = databases[address["database"]].name
                yield Finding(
                    where=module.head(node),
                    message=f"the address of the database of {owner} stands in the source",
                    help="a service reaches its own by Transaction, and what is in another by its contract or events",
                )


def _shared(found: Shared) -> Finding:
    first, *others = found.users
    names = [use.unit.service for use in found.users]
    together = f"{', '.join(names[:-1])} and {names[-1]}"
    what = f"the database {found.database} of {found.host}" if found.database else f"the store {found.host}"
    unsure = "" if found.database else ", and nothing says that their data are apart"
    return Finding(
        where=first.where,
        message=f"{together} use {what}{unsure}",
        impact="none of them can change its tables, or load it, without the others noticing",
        notes=tuple(Note(use.where, f"{use.unit.service} leads there, too") for use in others),
        help="give each a database and a role of its own; what others need of it, they ask for by its interface",
        hidden=first.hidden,
        severity=None if found.database else "warning" if found.told else "info",
    )


def _table(service: Service, table: str, owner: Service, where: Place) -> Finding:
    return Finding(
        where=where,
        message=f"{service.name} uses the table {table} of {owner.name}",
        impact=f"{owner.name} cannot change it without breaking {service.name}, whose role may not even open it",
        help=f"ask {owner.name} by a contract, or keep what is needed of its events in a projection",
    )


RULE = Rule(
    code="SH201",
    name="shared-database",
    severity="error",
    summary="a service uses the tables of another one",
    page=__doc__,
    find=find,
    answers=("Shared database",),
    needs=frozenset({"calls"}),
)
