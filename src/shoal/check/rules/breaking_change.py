"""A contract changed so that those who rely on it break.

## What it does

Compares what is declared with the files of contracts, which `shoal contract lock` writes, by the rules of `shoal
contract diff`: fields that are gone, of another type, required now, values and bounds, keys and ways of travelling,
operations and their parameters. Each breaking change is found at the declaration that caused it.

## Why

Services are deployed one after the other, and events are read again years later. Whoever relies on a contract was
tested against what it said before; the change reaches them as errors in production, at a moment that nobody chose.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, event


@event("orders.placed", key="order_id")  # <- SH601
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    total: str


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced])
payments = Service("payments", store=Postgres())


@orders.on(OrderPlaced)
async def note(event: OrderPlaced, tx: Transaction) -> None: ...


@payments.on(OrderPlaced)
async def charge(event: OrderPlaced, tx: Transaction) -> None: ...


system = System("shop", services=[orders, payments])
```

```json title="contracts/orders/events/placed.v1.json"
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "orders.placed.v1",
  "x-key": "order_id",
  "title": "OrderPlaced",
  "type": "object",
  "properties": {"order_id": {"type": "string"}, "total": {"type": "integer"}},
  "required": ["order_id", "total"]
}
```

## Good

What is new has a name of its own, and what was there stays.

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, event


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    total: int
    amount: str = ""


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced])
payments = Service("payments", store=Postgres())


@orders.on(OrderPlaced)
async def note(event: OrderPlaced, tx: Transaction) -> None: ...


@payments.on(OrderPlaced)
async def charge(event: OrderPlaced, tx: Transaction) -> None: ...


system = System("shop", services=[orders, payments])
```

```json title="contracts/orders/events/placed.v1.json"
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "orders.placed.v1",
  "x-key": "order_id",
  "title": "OrderPlaced",
  "type": "object",
  "properties": {"order_id": {"type": "string"}, "total": {"type": "integer"}},
  "required": ["order_id", "total"]
}
```
"""

import ast
from collections.abc import Iterator

from shoal.check.finding import Finding, Place
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject
from shoal.model.change import Change


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find what breaks somebody."""
    for change in subject.changes:
        if change.breaking:
            yield Finding(
                where=_declared(subject, change),
                message=_message(change),
                impact=f"it breaks {', '.join(change.breaks)}" if change.breaks else "",
                help=f"keep what was there and add what is new beside it, or declare version={_next(change.contract)};"
                ' where nobody relies on it any more: shoal contract lock --breaking "REASON"',
            )


def _message(change: Change) -> str:
    place = f" {change.path}:" if change.path else ":"
    values = f" ({change.old} → {change.new})" if change.old or change.new else ""
    return f"{change.contract}{place} {change.message}{values}"


def _declared(subject: Subject, change: Change) -> Place:
    """Say where a contract is declared; of what is gone, and has no line any more, where its service is."""
    handler = subject.source.function(change.where) if change.where else None
    for mark in handler.node.decorator_list if handler else ():
        if handler and isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute) and mark.args:
            promised = subject.source.named(handler.module.name_of(mark.args[0]))
            if promised is not None and mark.func.attr == "implements":
                return promised.where
    owner = next((s.source for s in subject.system.services if s.name == change.service), "")
    return subject.place(change.where or owner)


def _next(contract: str) -> int:
    _, _, version = contract.rpartition(".v")
    return int(version) + 1 if version.isdecimal() else 2


RULE = Rule(
    code="SH601",
    name="breaking-change",
    severity="error",
    summary="a contract changed so that those who rely on it break",
    page=__doc__,
    find=find,
    needs=frozenset({"contracts"}),
)
