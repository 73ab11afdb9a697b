"""What a handler does when it is repeated happens again: it has no key.

## What it does

Looks in handlers of events, schedules and steps of sagas for effects outside of their transaction that happen as often
as the handler runs: operations of other services with `POST` or `PATCH` that are not `idempotent`, requests outside
that change something and bear no `Idempotency-Key`, and mails without a `Message-ID`; behind a port, too, in methods
of what provides it. Messages by a client of one's own are [SH203](SH203.md). Operations whose handler is known to write
nothing are left alone.

## Why

An event is delivered at least once, and a handler is tried again when it fails after half of its work. Its own
transaction is rolled back, so that all of it happens once; what it did elsewhere has happened. With a key the other
side knows a repetition and answers as it did the first time. Calls of idempotent operations get one by themselves.

## Bad

```python
from typing import Protocol

import msgspec

from shoal import Postgres, Service, System, contract, event, internal, post


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


@contract("points")
class PointsApi(Protocol):
    @post("/points", access=internal)
    async def give(self, customer: str) -> None: ...


orders = Service("orders", store=Postgres(migrations=""), publishes=[OrderPlaced])
loyalty = Service("loyalty", store=Postgres(migrations=""))
points = Service("points", store=Postgres(migrations=""))


@loyalty.on(OrderPlaced)
async def reward(placed: OrderPlaced, api: PointsApi) -> None:
    \"\"\"Give points for an order.\"\"\"
    await api.give(placed.order_id)  # <- SH206


@points.implements(PointsApi.give)
async def give(customer: str) -> None:
    \"\"\"Give points.\"\"\"


system = System("shop", services=[orders, loyalty, points])
```

## Good

```python
from typing import Protocol

import msgspec

from shoal import Postgres, Service, System, contract, event, internal, post


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


@contract("points")
class PointsApi(Protocol):
    @post("/points", access=internal, idempotent=True)
    async def give(self, customer: str) -> None: ...


orders = Service("orders", store=Postgres(migrations=""), publishes=[OrderPlaced])
loyalty = Service("loyalty", store=Postgres(migrations=""))
points = Service("points", store=Postgres(migrations=""))


@loyalty.on(OrderPlaced)
async def reward(placed: OrderPlaced, api: PointsApi) -> None:
    \"\"\"Give points for an order.\"\"\"
    await api.give(placed.order_id)


@points.implements(PointsApi.give)
async def give(customer: str) -> None:
    \"\"\"Give points.\"\"\"


system = System("shop", services=[orders, loyalty, points])
```
"""

from collections.abc import Iterator

from shoal.check.effects import changing, outside
from shoal.check.finding import Finding
from shoal.check.graph import Handler
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject

REPEATED = {"subscription": "its event is delivered", "schedule": "its run is tried", "step": "the step is tried"}
"""Kind of a handler → what may happen again."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find effects that come again with their handler."""
    for handler in subject.graph.handlers:
        if handler.kind in REPEATED:
            yield from _called(subject, handler)
            yield from _outside(subject, handler)


def _called(subject: Subject, handler: Handler) -> Iterator[Finding]:
    for site in subject.graph.sites[handler]:
        endpoint = changing(subject, site) if site.certain else None
        if endpoint is not None and endpoint.method in ("POST", "PATCH") and not endpoint.idempotent:
            yield Finding(
                where=site.where,
                message=f"{handler} has {site.callee} happen again when {REPEATED[handler.kind]} again",
                help=f"let {site.callee} honour a key: idempotent=True in its contract; calls then bear one",
            )


def _outside(subject: Subject, handler: Handler) -> Iterator[Finding]:
    for effect in outside(subject, handler):
        if not effect.broker and not effect.keyed:
            key = "self.idempotency_key" if handler.kind == "step" else "a key that follows from what sets it off"
            way = "as its Message-ID" if effect.mail else "with it, such as the header Idempotency-Key"
            yield Finding(
                where=effect.where,
                message=f"{handler} has {effect.what} happen again when {REPEATED[handler.kind]} again",
                help=f"send {key} {way}",
            )


RULE = Rule(
    code="SH206",
    name="repeated-effect",
    severity="warning",
    summary="what a handler does elsewhere happens again when it is repeated",
    page=__doc__,
    find=find,
    answers=("Ignoring data consistency",),
    needs=frozenset({"source"}),
)
