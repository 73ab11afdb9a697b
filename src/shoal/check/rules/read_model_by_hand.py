"""Records follow from events alone, and cannot be made again from them.

## What it does

Looks for records that handlers of two or more events keep, and nobody else, and that endpoints show, where those
handlers do nothing else: they announce nothing, call nobody and have no other parameters. That is what a projection
does, which remembers its events.

## Why

A handler with a mistake writes what is wrong, and a field that is added later is empty for all that was before. The
events that would tell are acknowledged and gone. A projection keeps a journal of them: `shoal projections rebuild`
makes the records anew beside the live ones, and takes their place.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, event, internal, record


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


@event("orders.ended", key="order_id")
class OrderEnded(msgspec.Struct, frozen=True):
    order_id: str
    state: str


orders = Service("orders", store=Postgres(migrations=""), publishes=[OrderPlaced, OrderEnded])
history = Service("history", store=Postgres(migrations=""))


@record("past_orders", key="order_id")
class PastOrder(msgspec.Struct, frozen=True):
    order_id: str
    state: str


@history.on(OrderPlaced)
async def remember(placed: OrderPlaced, tx: Transaction) -> None:  # <- SH207
    \"\"\"Keep what was ordered.\"\"\"
    tx.put(PastOrder(placed.order_id, "PLACED"))


@history.on(OrderEnded)
async def complete(ended: OrderEnded, tx: Transaction) -> None:
    \"\"\"Keep how it ended.\"\"\"
    tx.put(PastOrder(ended.order_id, ended.state))


@history.get("/past/{order_id}", access=internal)
async def show(order_id: str, tx: Transaction) -> PastOrder:
    \"\"\"Show what was ordered.\"\"\"
    return await tx.require(PastOrder, order_id)


system = System("shop", services=[orders, history])
```

## Good

```python
import msgspec

from shoal import Postgres, ReadModel, Service, System, Transaction, event, internal, record


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


@event("orders.ended", key="order_id")
class OrderEnded(msgspec.Struct, frozen=True):
    order_id: str
    state: str


orders = Service("orders", store=Postgres(migrations=""), publishes=[OrderPlaced, OrderEnded])
history = Service("history", store=Postgres(migrations=""))


@record("past_orders", key="order_id")
class PastOrder(msgspec.Struct, frozen=True):
    order_id: str
    state: str


past = history.projection("past-orders", records=[PastOrder])


@past.on(OrderPlaced)
async def remember(placed: OrderPlaced, records: ReadModel) -> None:
    \"\"\"Keep what was ordered.\"\"\"
    records.put(PastOrder(placed.order_id, "PLACED"))


@past.on(OrderEnded)
async def complete(ended: OrderEnded, records: ReadModel) -> None:
    \"\"\"Keep how it ended.\"\"\"
    records.put(PastOrder(ended.order_id, ended.state))


@history.get("/past/{order_id}", access=internal)
async def show(order_id: str, tx: Transaction) -> PastOrder:
    \"\"\"Show what was ordered.\"\"\"
    return await tx.require(PastOrder, order_id)


system = System("shop", services=[orders, history])
```
"""

from collections.abc import Iterator

from shoal.check.effects import KEPT
from shoal.check.finding import Finding, Note
from shoal.check.graph import Handler
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject

KEEPING = frozenset({"get", "require", "find", "count", "put", "insert", "delete", "flush"})
"""What a `ReadModel` can do as well, or need not do."""

READING = frozenset({"get", "require", "find", "fetch"})
WRITING = frozenset({"put", "insert", "put_many"})


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find read models that are kept by hand."""
    folding = set(_folding(subject))
    kept: dict[str, list[Handler]] = {}
    others: set[str] = set()
    shown: set[str] = set()
    for handler in subject.graph.handlers:
        methods, named = _methods(subject, handler), _named(subject, handler)
        if handler in folding:
            for name in named:
                kept.setdefault(name, []).append(handler)
        elif methods & WRITING:
            others |= named
        if handler.kind == "endpoint" and methods & READING:
            shown |= named
    for name, handlers in kept.items():
        if len(handlers) > 1 and name in shown and name not in others:
            yield _finding(name, handlers)


def _finding(name: str, handlers: list[Handler]) -> Finding:
    first, *rest = (handler.function.where for handler in handlers if handler.function)
    short, service = name.rpartition(".")[2], handlers[0].service.name
    return Finding(
        where=first,
        message=f"{short} follows from {len(handlers)} events, and cannot be made again from them",
        notes=tuple(Note(where, f"{short} is kept here, too") for where in rest),
        help=f"let a projection keep it: {service}.projection(..., records=[{short}])",
    )


def _folding(subject: Subject) -> Iterator[Handler]:
    """List the handlers of events that keep records and do nothing else."""
    for handler in subject.graph.handlers:
        function = handler.function
        if handler.kind != "subscription" or function is None or len(function.parameters) != 2:
            continue
        methods = {use.method for use in subject.source.uses(function) if use.kind.name == "shoal.Transaction"}
        if methods & {"put", "insert"} and methods <= KEEPING:
            yield handler


def _named(subject: Subject, handler: Handler) -> set[str]:
    """Name the records of which a handler speaks."""
    reached = subject.graph.reached(handler)
    names = {subject.source.origin(name) for function in reached for name in function.named}
    return names & subject.source.marked("shoal.record").keys()


def _methods(subject: Subject, handler: Handler) -> set[str]:
    uses = subject.graph.uses(handler)
    return {use.method for use in uses if use.kind.name in KEPT}


RULE = Rule(
    code="SH207",
    name="read-model-by-hand",
    severity="info",
    summary="records follow from events alone, and cannot be made again from them",
    page=__doc__,
    find=find,
    answers=("Ignoring data consistency",),
    needs=frozenset({"source"}),
)
