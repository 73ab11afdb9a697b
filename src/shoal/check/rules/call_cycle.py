"""Services call each other in a circle.

## What it does

Looks for groups of services that can reach each other by synchronous calls, and shows a shortest circle of each group,
call by call. Events do not count: who publishes waits for nobody.

## Why

None of the services of a circle works without all the others, so they fail, start and are released together: they are
one service with a network inside. Under load each can end up waiting for itself.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("orders")
class OrdersApi(Protocol):
    @get("/total", access=internal)
    async def total(self) -> int: ...


@contract("customers")
class CustomersApi(Protocol):
    @get("/discount", access=internal)
    async def discount(self) -> int: ...


orders = Service("orders")
customers = Service("customers")


@orders.get("/price", access=anyone)
async def price(customers: CustomersApi) -> int:
    return 100 - await customers.discount()


@orders.implements(OrdersApi.total)
async def total() -> int:
    return 100


@customers.implements(CustomersApi.discount)
async def discount(orders: OrdersApi) -> int:
    return await orders.total() // 10  # <- SH102


system = System("shop", services=[orders, customers])
```

## Good

The caller says what the callee needs to know, so that one direction is enough.

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("customers")
class CustomersApi(Protocol):
    @get("/discount", access=internal)
    async def discount(self, total: int) -> int: ...


orders = Service("orders")
customers = Service("customers")


@orders.get("/price", access=anyone)
async def price(customers: CustomersApi) -> int:
    return 100 - await customers.discount(total=100)


@customers.implements(CustomersApi.discount)
async def discount(total: int) -> int:
    return total // 10


system = System("shop", services=[orders, customers])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding, Note
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find one circle of each group."""
    for circle in subject.graph.cycles:
        names = [site.handler.service.name for site in circle]
        yield Finding(
            where=circle[0].where,
            message=f"services call each other in a circle: {' → '.join([*names, names[0]])}",
            impact=f"{len(names)} services fail, start and are released together",
            notes=tuple(Note(s.where, f"{s.handler.service.name} calls {s.callee}") for s in circle[1:]),
            help=f"let {names[0]} announce by an event what {names[-1]} asks it for, or make them one service",
        )


RULE = Rule(
    code="SH102",
    name="call-cycle",
    severity="error",
    summary="services call each other in a circle",
    page=__doc__,
    find=find,
    answers=("Distributed monolith",),
    needs=frozenset({"calls"}),
)
