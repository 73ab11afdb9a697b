"""One service does too much of what the whole system does.

## What it does

Counts what each service does: operations, handlers of events, sagas, schedules and read models. It finds a service
that does more than `most` things, and one that does more than `share` of all, in systems of at least `services`
services.

## Why

Everything that anybody changes is in it, so everybody waits for its releases, and it is down for all when it is down
for one. It is a monolith with satellites: the cost of services without their freedom.

## Bad

```python
from shoal import Service, System, anyone

core = Service("core")  # <- SH106
mail = Service("mail")
pdf = Service("pdf")
maps = Service("maps")
paths = [f"/{name}" for name in ("users", "orders", "prices", "stock", "carts", "payments", "returns", "reports")]


def answering(path: str) -> None:
    async def show() -> str:
        return path

    show.__name__ = path.strip("/")
    core.get(path, access=anyone)(show)


for path in paths:
    answering(path)


@mail.get("/mail", access=anyone)
async def mails() -> str:
    return "none"


system = System("shop", services=[core, mail, pdf, maps])
```

## Good

```python
from shoal import Service, System, anyone

users = Service("users")
orders = Service("orders")
stock = Service("stock")
mail = Service("mail")


@users.get("/users", access=anyone)
async def list_users() -> str:
    return "none"


@orders.get("/orders", access=anyone)
async def list_orders() -> str:
    return "none"


@stock.get("/stock", access=anyone)
async def list_stock() -> str:
    return "none"


@mail.get("/mail", access=anyone)
async def mails() -> str:
    return "none"


system = System("shop", services=[users, orders, stock, mail])
```

## Options

- `most` (50): things that one service does.
- `share` (0.6): of all that the system does.
- `services` (4): services of a system whose shares are compared.
"""

from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding
from shoal.check.rule import Rule
from shoal.check.rules.nano_service import work
from shoal.check.subject import Subject


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is allowed."""

    most: int = 50
    """Things that one service does."""
    share: float = 0.6
    """Of all that the system does."""
    services: int = 4
    """Services of a system whose shares are compared."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find services that do too much, for themselves or beside the others."""
    services = subject.system.services
    whole = sum(work(service) for service in services) or 1
    for service in services:
        done = work(service)
        much = len(services) >= options.services and done / whole > options.share
        if done > options.most or much:
            neighbours = subject.graph.neighbours[service.name]
            yield Finding(
                where=subject.place(service.source),
                message=f"{service.name} does {done} of the {whole} things that the system does",
                impact=f"{done / whole:.0%} of all work waits for its releases; {len(neighbours)} services lean on it",
                help="split it along its data: what is written together stays together; shoal describe shows its parts",
            )


RULE = Rule(
    code="SH106",
    name="god-service",
    severity="warning",
    summary="one service does too much of what the whole system does",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Distributed monolith",),
    needs=frozenset({"declarations"}),
)
