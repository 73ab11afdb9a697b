"""A service does so little that it is hardly worth one.

## What it does

Looks for services with at most `most` operations and handlers in all that have to do with one other service only: it
calls them, is called by them, or they exchange events. Systems of fewer than `services` services are left alone.

## Why

A service costs a deployment, a database, alarms, a place in everybody's head, and each request a way over the network.
What is so small and has one neighbour only changes together with that neighbour: it is a part of it.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("addresses")
class AddressesApi(Protocol):
    @get("/address", access=internal)
    async def address(self) -> str: ...


users = Service("users")
addresses = Service("addresses")  # <- SH105
orders = Service("orders")
products = Service("products")


@users.get("/users", access=anyone)
async def show(addresses: AddressesApi) -> str:
    return await addresses.address()


@users.get("/users/names", access=anyone)
async def names() -> str:
    return "Ada"


@users.get("/users/pictures", access=anyone)
async def pictures() -> str:
    return "none"


@addresses.implements(AddressesApi.address)
async def address() -> str:
    return "12 Dorset St"


system = System("shop", services=[users, addresses, orders, products])
```

## Good

```python
from shoal import Service, System, anyone

users = Service("users")
orders = Service("orders")
products = Service("products")


@users.get("/users", access=anyone)
async def show() -> str:
    return address()


def address() -> str:
    return "12 Dorset St"


system = System("shop", services=[users, orders, products])
```

## Options

- `most` (2): operations, handlers of events, schedules, sagas and read models of a service that counts as small.
- `services` (4): services of a system that is looked at.
"""

from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding
from shoal.check.rule import Rule
from shoal.check.subject import Subject
from shoal.model.service import Service


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is allowed."""

    most: int = 2
    """Operations and handlers of a service that counts as small."""
    services: int = 4
    """Services of a system that is looked at."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find services that are a part of another one."""
    if len(subject.system.services) < options.services:
        return
    for service in subject.system.services:
        neighbours, size = subject.graph.neighbours[service.name], work(service)
        if 0 < size <= options.most and len(neighbours) == 1:
            (other,) = neighbours
            yield Finding(
                where=subject.place(service.source),
                message=f"{service.name} does {size} thing{'s' * (size != 1)} and has to do with {other} only",
                impact="a deployment, alarms and a way over the network for each request",
                help=f"make it a module of {other}; or say what it will grow into",
            )


def work(service: Service) -> int:
    """Count what a service does: operations, handlers of events, sagas, schedules, read models."""
    parts = (service.endpoints, service.subscriptions, service.sagas, service.schedules, service.projections)
    return sum(len(part) for part in parts)


RULE = Rule(
    code="SH105",
    name="nano-service",
    severity="info",
    summary="a service does so little that it is hardly worth one",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Over-granular services", "Simple applications"),
    needs=frozenset({"declarations"}),
)
