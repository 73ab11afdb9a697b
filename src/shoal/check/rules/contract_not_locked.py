"""A contract is in use that no file holds.

## What it does

Where contracts are locked at all, looks for events and operations that are not: the next change of them can be compared
with nothing.

## Why

A version means something only as long as somebody notices that it changed. What is not locked changes silently, under
the same number.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, event


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


@event("orders.paid", key="order_id")  # <- SH604
class OrderPaid(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced, OrderPaid])


@orders.on(OrderPlaced)
async def pay(event: OrderPlaced, tx: Transaction) -> None:
    tx.publish(OrderPaid(order_id=event.order_id))


@orders.on(OrderPaid)
async def pack(event: OrderPaid, tx: Transaction) -> None: ...


system = System("shop", services=[orders])
```

```json title="contracts/orders/events/placed.v1.json"
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "orders.placed.v1",
  "x-key": "order_id",
  "title": "OrderPlaced",
  "type": "object",
  "properties": {"order_id": {"type": "string"}},
  "required": ["order_id"]
}
```

## Good

`shoal contract lock` has written the second file, too.

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, event


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


@event("orders.paid", key="order_id")
class OrderPaid(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced, OrderPaid])


@orders.on(OrderPlaced)
async def pay(event: OrderPlaced, tx: Transaction) -> None:
    tx.publish(OrderPaid(order_id=event.order_id))


@orders.on(OrderPaid)
async def pack(event: OrderPaid, tx: Transaction) -> None: ...


system = System("shop", services=[orders])
```

```json title="contracts/orders/events/placed.v1.json"
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "orders.placed.v1",
  "x-key": "order_id",
  "title": "OrderPlaced",
  "type": "object",
  "properties": {"order_id": {"type": "string"}},
  "required": ["order_id"]
}
```

```json title="contracts/orders/events/paid.v1.json"
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "orders.paid.v1",
  "x-key": "order_id",
  "title": "OrderPaid",
  "type": "object",
  "properties": {"order_id": {"type": "string"}},
  "required": ["order_id"]
}
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find contracts without a file."""
    for change in subject.changes:
        if change.rule == "added" and not change.breaking:
            yield Finding(
                where=subject.place(change.where),
                message=f"{change.contract} of {change.service} is in no file of contracts",
                help="shoal contract lock writes it",
            )


RULE = Rule(
    code="SH604",
    name="contract-not-locked",
    severity="warning",
    summary="a contract is in use that no file holds",
    page=__doc__,
    find=find,
    needs=frozenset({"contracts"}),
)
