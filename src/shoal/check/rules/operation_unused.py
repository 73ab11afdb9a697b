"""Nobody can ask for an operation.

## What it does

Looks for operations with `access=internal` that no service of the system calls. The gateway has no route to them, and
between services only declared calls pass.

## Why

Code that nobody can reach is still read, tested, changed and secured. Often it is the half of a change that was never
finished: the caller went on with something else.

## Bad

```python
from shoal import Service, System, anyone, internal

stock = Service("stock")


@stock.get("/levels", access=anyone)
async def levels() -> dict[str, int]:
    \"\"\"What there is.\"\"\"
    return {"pen": 3}


@stock.get("/reserved", access=internal)  # <- SH602
async def reserved() -> dict[str, int]:
    \"\"\"What is promised.\"\"\"
    return {"pen": 1}


system = System("shop", services=[stock])
```

## Good

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("stock")
class StockApi(Protocol):
    @get("/reserved", access=internal)
    async def reserved(self) -> dict[str, int]: ...


stock = Service("stock")
orders = Service("orders")


@stock.implements(StockApi.reserved)
async def reserved() -> dict[str, int]:
    \"\"\"What is promised.\"\"\"
    return {"pen": 1}


@orders.get("/open", access=anyone)
async def open_orders(stock: StockApi) -> int:
    \"\"\"How many orders wait.\"\"\"
    return sum((await stock.reserved()).values())


system = System("shop", services=[stock, orders])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find internal operations without a caller."""
    called = {(call.service, call.endpoint) for service in subject.system.services for call in service.calls}
    for service in subject.system.services:
        for endpoint in service.endpoints:
            if not endpoint.exposed and (service.name, endpoint.name) not in called:
                yield Finding(
                    where=subject.place(endpoint.source),
                    message=f"{service.name}.{endpoint.name} is internal, and no service calls it",
                    help="remove it, or let a handler name its contract as a parameter and call it",
                )


RULE = Rule(
    code="SH602",
    name="operation-unused",
    severity="warning",
    summary="nobody can ask for an operation",
    page=__doc__,
    find=find,
    needs=frozenset({"declarations"}),
)
