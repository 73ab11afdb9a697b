"""A handler of an event asks the service that published it.

## What it does

Looks for synchronous calls, in handlers of events and in what they lead to, to the service from which the event comes.

## Why

Events let two services be up at different times. A handler that asks back takes that away: while the producer is away,
nothing is handled, and after some attempts the event is a dead letter. The answer may be newer than the event, too, so
that a handling that is repeated does something else.

## Bad

```python
from typing import Protocol

import msgspec

from shoal import Postgres, Service, System, Transaction, contract, event, get, internal


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


@contract("orders")
class OrdersApi(Protocol):
    @get("/orders/{order_id}/total", access=internal)
    async def total(self, order_id: str) -> int: ...


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced])
payments = Service("payments", store=Postgres())


@orders.implements(OrdersApi.total)
async def total(order_id: str) -> int:
    return 100


@payments.on(OrderPlaced)
async def charge(event: OrderPlaced, tx: Transaction, orders: OrdersApi) -> None:
    amount = await orders.total(order_id=event.order_id)  # <- SH110
    assert amount


system = System("shop", services=[orders, payments])
```

## Good

The event says what its readers need.

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, event


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    total: int


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced])
payments = Service("payments", store=Postgres())


@payments.on(OrderPlaced)
async def charge(event: OrderPlaced, tx: Transaction) -> None:
    assert event.total


system = System("shop", services=[orders, payments])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.graph import Handler, Site
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find calls back to where an event comes from."""
    for handler, sites in subject.graph.sites.items():
        if handler.subscription is None:
            continue
        producer = handler.subscription.event.partition(".")[0]
        yield from (_finding(handler, site) for site in sites if site.certain and site.call.service == producer)


def _finding(handler: Handler, site: Site) -> Finding:
    assert handler.subscription is not None  # noqa: S101 - its caller looks
    event, attempts = handler.subscription.event, handler.subscription.policy.attempts
    return Finding(
        where=site.where,
        message=f"{handler} hears {event} and asks {site.call.service} back: {site.callee}",
        impact=f"while {site.call.service} is away nothing is handled; after {attempts} attempts it is a dead letter",
        help=f"let {event} say what its readers need, as another version: @event(..., version=2)",
    )


RULE = Rule(
    code="SH110",
    name="producer-asked-back",
    severity="warning",
    summary="a handler of an event asks the service that published it",
    page=__doc__,
    find=find,
    answers=("Distributed monolith",),
    needs=frozenset({"declarations"}),
)
