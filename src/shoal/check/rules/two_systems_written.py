"""A handler writes to its store and, past it, to something else: one of them may happen alone.

## What it does

Looks for handlers that send to a broker by a client of their own, and for endpoints that change something in their
store and something outside: `POST`, `PUT`, `PATCH` or `DELETE` by `aiohttp`, `httpx`, `requests` or `urllib`, or a
mail. A request outside with an `Idempotency-Key` is left alone, since it can be made again.

## Why

The store commits when the handler has returned; what went outside is gone by then. When the commit fails, the world
knows of an order that there is not. When the process ends before the commit of a message that was not sent yet, nobody
ever hears of an order that there is. `tx.publish` writes the message with the row: both or none.

## Bad

```python
import aiohttp
import msgspec

from shoal import Postgres, Service, System, Transaction, internal, record

orders = Service("orders", store=Postgres(migrations=""))


@record("orders", key="order_id")
class Order(msgspec.Struct, frozen=True):
    order_id: str


@orders.post("/orders", access=internal)
async def place(order: Order, tx: Transaction) -> None:
    \"\"\"Take an order.\"\"\"
    tx.insert(order)
    async with aiohttp.ClientSession() as partner:
        await partner.post("http://127.0.0.1:9/orders", json={"id": order.order_id})  # <- SH203


system = System("shop", services=[orders])
```

## Good

```python
import aiohttp
import msgspec

from shoal import Postgres, Service, System, Transaction, event, internal, record


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


orders = Service("orders", store=Postgres(migrations=""), publishes=[OrderPlaced])
partners = Service("partners", store=Postgres(migrations=""))


@record("orders", key="order_id")
class Order(msgspec.Struct, frozen=True):
    order_id: str


@orders.post("/orders", access=internal)
async def place(order: Order, tx: Transaction) -> None:
    \"\"\"Take an order.\"\"\"
    tx.insert(order)
    tx.publish(OrderPlaced(order.order_id))


@partners.on(OrderPlaced)
async def tell(placed: OrderPlaced) -> None:
    \"\"\"Tell the partner, who knows a repetition by its key.\"\"\"
    async with aiohttp.ClientSession(headers={"Idempotency-Key": placed.order_id}) as partner:
        await partner.post("http://127.0.0.1:9/orders", json={"id": placed.order_id})


system = System("shop", services=[orders, partners])
```
"""

from collections.abc import Iterator

from shoal.check.effects import Outside, outside, writes
from shoal.check.finding import Finding, Note, Place
from shoal.check.graph import Handler
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find effects that do not commit with the rest of their handler."""
    for handler in subject.graph.handlers:
        written = writes(subject, handler)
        for effect in outside(subject, handler):
            if effect.broker or (handler.kind == "endpoint" and written is not None and not effect.keyed):
                yield _finding(handler, effect, written)


def _finding(handler: Handler, effect: Outside, written: Place | None) -> Finding:
    if effect.broker:
        what, help_ = "sends a message past its outbox", "declare an event and publish it: tx.publish(...)"
    else:
        what = "writes to its store and, past it, to another system"
        help_ = "publish an event with the transaction, and do it in its handler, with a key of the event"
    return Finding(
        where=effect.where,
        message=f"{handler} {what}: {effect.what}",
        impact="when the process ends in between or the commit fails, one of both has happened alone",
        notes=(Note(written, "this commits later, or never"),) if written is not None else (),
        help=help_,
    )


RULE = Rule(
    code="SH203",
    name="two-systems-written",
    severity="warning",
    summary="a handler writes to its store and, past it, to something else",
    page=__doc__,
    find=find,
    answers=("Ignoring data consistency",),
    needs=frozenset({"source"}),
)
