"""Clients say how much is read, and nothing says how much at most.

## What it does

Looks for parameters of operations that go on as the `limit` of a query, and whose type has no upper bound. What takes
the smaller of two numbers first, what only other services ask for, and what asks for a role or another claim is left
alone.

## Why

`?limit=20` is a page, and `?limit=100000000` is the whole table, read into the memory of one replica by one request. A
bound is part of the contract: clients see it, and the gateway's answer for more is 422 and not a replica that ends.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, record

tasks = Service("tasks", store=Postgres())


@record("tasks", key="task_id")
class Task(msgspec.Struct, frozen=True):
    task_id: str


@tasks.get("/tasks", access=anyone)
async def newest(tx: Transaction, limit: int = 20) -> list[Task]:
    \"\"\"The newest tasks.\"\"\"
    return await tx.find(Task, order=["-task_id"], limit=limit)  # <- SH310


system = System("office", services=[tasks])
```

## Good

```python
from typing import Annotated

import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, record

tasks = Service("tasks", store=Postgres())


@record("tasks", key="task_id")
class Task(msgspec.Struct, frozen=True):
    task_id: str


@tasks.get("/tasks", access=anyone)
async def newest(tx: Transaction, limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20) -> list[Task]:
    \"\"\"The newest tasks.\"\"\"
    return await tx.find(Task, order=["-task_id"], limit=limit)


system = System("office", services=[tasks])
```
"""

import ast
from collections.abc import Iterator

from shoal.check.finding import Finding, Place
from shoal.check.graph import Handler
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Function
from shoal.check.subject import Subject
from shoal.model.service import Endpoint

BOUNDS = frozenset({"maximum", "exclusiveMaximum", "enum", "const"})
"""Words of JSON Schema by which a number has an end."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find sizes that clients say and nothing bounds."""
    for handler in subject.graph.handlers:
        endpoint, function = handler.endpoint, handler.function
        if endpoint is None or function is None or endpoint.access.kind == "internal" or endpoint.access.demands:
            continue
        sizes = _unbounded(endpoint) - _rebound(function)
        for use in subject.source.uses(function) if sizes else ():
            said = next((word.value for word in use.node.keywords if word.arg == "limit"), None)
            if use.function is function and isinstance(said, ast.Name) and said.id in sizes:
                yield _found(use.where, handler, said.id)


def _found(where: Place, handler: Handler, name: str) -> Finding:
    return Finding(
        where=where,
        message=f"clients of {handler} say by {name} how much is read, and nothing says how much at most",
        help=f"{name}: Annotated[int, msgspec.Meta(ge=1, le=100)], or a page: PageRequest",
    )


def _unbounded(endpoint: Endpoint) -> frozenset[str]:
    """Name the numbers that a client may say, of any size."""
    numbers = (p for p in endpoint.parameters if "integer" in str(p.schema.get("type", p.schema.get("anyOf", ""))))
    return frozenset(p.name.replace("-", "_") for p in numbers if not BOUNDS & set(p.schema))


def _rebound(function: Function) -> frozenset[str]:
    """Name what a function binds to something else, such as the smaller of two numbers."""
    names = (node for node, _ in function.body if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return frozenset(node.id for node in names)


RULE = Rule(
    code="SH310",
    name="size-without-bound",
    severity="warning",
    summary="clients say how much is read, and nothing says how much at most",
    page=__doc__,
    find=find,
    answers=("Database",),
    needs=frozenset({"source"}),
)
