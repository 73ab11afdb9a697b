"""A service was seen in the database of another one.

## What it does

Compares who was seen in which database while the system ran with whose databases they are: by the service whose process
it was, or, where nobody knows that, by the role that it used. Whose process it was is known of statements in traces,
and of PostgreSQL's own client library, such as `psycopg`, which `shoal run` tells whose name to say. Whoever is no
service, such as a person with a tool, is not looked at.

## Why

What is declared says who may read what. A connection that somebody opens by other means, with another one's password,
is in no declaration, and ties both services together all the same. Only the engine itself knows of it.

## Bad

```python
from shoal import Postgres, Service, System

orders = Service("orders", store=Postgres(migrations=""))
reports = Service("reports", store=Postgres(migrations=""))  # <- SH202
system = System("shop", services=[orders, reports])
```

```observed
{
  "run": "run 7",
  "sessions": [
    {"database": "orders", "role": "orders", "service": "orders", "tables": ["orders"], "most": 8},
    {"database": "orders", "role": "orders", "service": "reports", "tables": ["orders"], "most": 2}
  ]
}
```

## Good

```python
from shoal import Postgres, Service, System

orders = Service("orders", store=Postgres(migrations=""))
reports = Service("reports", store=Postgres(migrations=""))
system = System("shop", services=[orders, reports])
```

```observed
{
  "run": "run 8",
  "sessions": [
    {"database": "orders", "role": "orders", "service": "orders", "tables": ["orders"], "most": 8},
    {"database": "reports", "role": "reports", "service": "reports", "tables": ["sums"], "most": 2},
    {"database": "orders", "role": "postgres", "most": 1}
  ]
}
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject
from shoal.model import names


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find sessions in the databases of others."""
    databases = {names.database(service.name): service for service in subject.system.services if service.store}
    services = {service.name: service for service in subject.system.services}
    for seen in subject.observed.sessions if subject.observed else ():
        owner = databases.get(seen.database)
        visitor = services.get(seen.service) if seen.service else databases.get(seen.role)
        if owner is None or visitor is None or visitor.name == owner.name:
            continue
        tables = f", where it uses {', '.join(seen.tables)}" if seen.tables else ""
        yield Finding(
            where=subject.place(visitor.source),
            message=f"{visitor.name} was seen in the database of {owner.name}{tables}",
            impact=f"{owner.name} cannot change its tables without breaking {visitor.name}",
            help=f"ask {owner.name} by a contract, or keep what is needed of its events in a projection;"
            f" then change the password of the role {seen.role}",
        )


RULE = Rule(
    code="SH202",
    name="shared-database-seen",
    severity="error",
    summary="a service was seen in the database of another one",
    page=__doc__,
    find=find,
    answers=("Shared database",),
    needs=frozenset({"observed"}),
)
