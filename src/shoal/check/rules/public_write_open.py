"""Anybody may change data, as often as they like.

## What it does

Looks for operations that the gateway serves to anyone, that change something (`POST`, `PUT`, `PATCH`, `DELETE`), and
that have neither a principal nor a limit.

Of a system in other files it looks at what OpenAPI says: operations that change something and ask for no key, token or
certificate (`security`), neither themselves nor in their document. Where Compose or Kubernetes say, too, how the
service runs, only one that can be reached from outside is meant.

## Why

Whoever finds the address can fill the database, send mails in your name or try passwords, from one machine, all night.
Some operations have to be open, such as signing up. Then a limit by address makes an attack slow.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, record


@record("notes", key="id")
class Note(msgspec.Struct, frozen=True):
    id: str
    text: str


notes = Service("notes", store=Postgres())


@notes.post("/notes", access=anyone)  # <- SH401
async def write(body: Note, tx: Transaction) -> None:
    \"\"\"Keep a note.\"\"\"
    tx.put(body)


system = System("office", services=[notes])
```

## Good

```python
import msgspec

from shoal import Postgres, RateLimit, Service, System, Transaction, anyone, record


@record("notes", key="id")
class Note(msgspec.Struct, frozen=True):
    id: str
    text: str


notes = Service("notes", store=Postgres())


@notes.post("/notes", access=anyone, limit=RateLimit(requests=5, per=60, by="address"))
async def write(body: Note, tx: Transaction) -> None:
    \"\"\"Keep a note.\"\"\"
    tx.put(body)


system = System("office", services=[notes])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.importing.facts import Facts
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject

CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find open operations that change something without a limit."""
    if subject.imported is not None:
        yield from _imported(subject.imported)
        return
    for service in subject.system.services:
        for endpoint in service.endpoints:
            if endpoint.access.kind == "anyone" and endpoint.method in CHANGING and endpoint.edge.limit is None:
                yield Finding(
                    where=subject.place(endpoint.source),
                    message=f"anybody may {endpoint.method} {endpoint.public}, as often as they like",
                    help='ask for a principal, or add limit=RateLimit(requests=5, per=60, by="address")',
                )


def _imported(facts: Facts) -> Iterator[Finding]:
    inner = {name for name, units in facts.services.items() if units and not any(unit.doors for unit in units)}
    for operation in facts.operations:
        inside = operation.service in inner
        if operation.open and operation.method in CHANGING and not inside:
            yield Finding(
                where=operation.where,
                message=f"anybody may {operation.method} {operation.path} of {operation.service}: no security is asked",
                help="name a scheme under security, of the operation or of the document; and limit what has to be open",
            )


RULE = Rule(
    code="SH401",
    name="public-write-open",
    severity="warning",
    summary="anybody may change data, as often as they like",
    page=__doc__,
    find=find,
    answers=("Authentication",),
    needs=frozenset({"operations"}),
)
