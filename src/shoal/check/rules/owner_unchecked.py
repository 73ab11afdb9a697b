"""Everybody who is signed in may name anybody's data.

## What it does

Looks for operations that every principal may call, without a role, scope or claim, that take an identifier from their
path, and whose handler never asks who is calling: it has no parameter of type `Principal`, or does nothing with it but
log it. And for operations that anybody may call, and that read by such an identifier records with a `Personal` field.

## Why

Being signed in is not being the owner. Whoever counts through the identifiers reads the orders of all the others. It is
the most common hole in interfaces ("broken object level authorization", first in OWASP's list of 2023).

## Bad

```python
import msgspec

from shoal import Issuer, Postgres, Problem, Service, System, Transaction, record, signed_in


@record("orders", key="order_id")
class Order(msgspec.Struct, frozen=True):
    order_id: str
    customer_id: str


orders = Service("orders", store=Postgres())


@orders.get("/orders/{order_id}", access=signed_in)  # <- SH402
async def show(order_id: str, tx: Transaction) -> Order:
    \"\"\"Show an order.\"\"\"
    found = await tx.get(Order, order_id)
    if found is None:
        raise Problem(404, "order-unknown", "there is no such order")
    return found


system = System("shop", services=[orders], issuer=Issuer(orders, audience="shop"))
```

## Good

```python
import msgspec

from shoal import Issuer, Postgres, Principal, Problem, Service, System, Transaction, record, signed_in


@record("orders", key="order_id")
class Order(msgspec.Struct, frozen=True):
    order_id: str
    customer_id: str


orders = Service("orders", store=Postgres())


@orders.get("/orders/{order_id}", access=signed_in)
async def show(order_id: str, principal: Principal, tx: Transaction) -> Order:
    \"\"\"Show an order.\"\"\"
    found = await tx.get(Order, order_id)
    if found is None or found.customer_id != principal.subject:
        raise Problem(404, "order-unknown", "there is no such order")
    return found


system = System("shop", services=[orders], issuer=Issuer(orders, audience="shop"))
```
"""

import ast
from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.logs import logged
from shoal.check.persons import fields, marked
from shoal.check.queries import READERS
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Function
from shoal.check.subject import Subject
from shoal.model.service import path_parameters


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find operations that name data by its path and never ask whose it is."""
    for handler in subject.graph.handlers:
        endpoint = handler.endpoint
        if endpoint is None or handler.function is None or not path_parameters(endpoint.path):
            continue
        open_, told = endpoint.access.kind == "anyone", ""
        if open_:
            told = _person(subject, handler.function)
        elif endpoint.access.kind == "principal" and not endpoint.access.demands:
            told = "everybody who is signed in, whoever's it is" if not _asks(handler.function) else ""
        if told:
            yield Finding(
                where=subject.place(endpoint.source),
                message=f"{endpoint.method} {endpoint.public} answers {told}",
                help="take principal: Principal and require that it is the owner, or ask for a role",
            )


def _asks(function: Function) -> bool:
    """Tell whether a function does something with who is calling; that a line of the log names them is nothing."""
    callers = {name for name, kind in function.kinds.items() if kind.name == "shoal.Principal"}
    noted = {id(part) for call in logged(function.module) for part in ast.walk(call)}
    return any(isinstance(node, ast.Name) and node.id in callers and id(node) not in noted for node, _ in function.body)


def _person(subject: Subject, function: Function) -> str:
    """Say what of a person a function reads that anybody may call; empty where there is nothing."""
    for use in subject.source.uses(function):
        if use.kind.name in READERS and use.method in ("get", "require", "find") and use.node.args:
            found = subject.source.class_named(use.function.module.name_of(use.node.args[0]))
            if found and any(marked(found[0], field.annotation) for field in fields(found[1])):
                return f"anybody, and reads {found[1].name}, which tells of a person"
    return ""


RULE = Rule(
    code="SH402",
    name="owner-unchecked",
    severity="error",
    summary="everybody who is signed in may name anybody's data",
    page=__doc__,
    find=find,
    answers=("Authorization",),
    needs=frozenset({"source"}),
)
