"""An event says what somebody should do, instead of what has happened.

## What it does

Looks at the names of events: one that begins with a verb in the imperative, such as `orders.charge_card`, is found.
Verbs of your own are added by `verbs`.

## Why

An event is a fact: whoever publishes it does not know who hears it. One that commands knows very well, and waits for
the effect without saying so: nobody answers when it cannot be done, and each new wish is another event. A command that
needs an answer is a call or a step of a saga; one that needs none is a fact that the other side acts on.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, event


@event("orders.charge_card", key="order_id")  # <- SH109
class ChargeCard(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


orders = Service("orders", store=Postgres(), publishes=[ChargeCard])
payments = Service("payments", store=Postgres())


@orders.post("/orders", access=anyone)
async def place(tx: Transaction) -> None:
    tx.publish(ChargeCard(order_id="1"))


@payments.on(ChargeCard)
async def charge(event: ChargeCard, tx: Transaction) -> None: ...


system = System("shop", services=[orders, payments])
```

## Good

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, event


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced])
payments = Service("payments", store=Postgres())


@orders.post("/orders", access=anyone)
async def place(tx: Transaction) -> None:
    tx.publish(OrderPlaced(order_id="1"))


@payments.on(OrderPlaced)
async def charge(event: OrderPlaced, tx: Transaction) -> None: ...


system = System("shop", services=[orders, payments])
```

## Options

- `verbs` (none): further words with which the name of a command begins.
"""

import re
from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding
from shoal.check.rule import Rule
from shoal.check.subject import Subject

VERB = re.compile(
    r"add|apply|approve|archive|assign|book|build|calculate|cancel|capture|change|charge|"
    r"check|close|compute|confirm|create|deactivate|deduct|delete|deliver|disable|dispatch|do|"
    r"enable|execute|export|fetch|generate|import|index|insert|invoice|issue|load|log|make|"
    r"mark|move|notify|open|pay|perform|persist|prepare|print|process|publish|push|"
    r"recalculate|record|refresh|refund|register|release|remove|render|request|reserve|resolve|"
    r"restock|retry|run|save|schedule|send|ship|sign|start|stop|store|submit|sync|transfer|"
    r"trigger|update|upload|validate|verify"
)
"""Words that are imperatives; those that are participles as well, such as ``set`` and ``put``, are left out."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What else is a command."""

    verbs: tuple[str, ...] = ()
    """Further words with which the name of a command begins."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find events that are called like commands."""
    for service in subject.system.services:
        for event in service.publishes:
            first = re.split(r"[._-]", event.name.partition(".")[2])[0]
            if VERB.fullmatch(first) or first in options.verbs:
                heard = sorted({handler.service.name for handler in subject.graph.consumers.get(event.id, ())})
                whom = f"; {heard[0]} alone hears it" if len(heard) == 1 else ""
                yield Finding(
                    where=subject.place(event.source),
                    message=f"event {event.id} says what somebody should do{whom}",
                    impact="nobody answers when it cannot be done",
                    help="say what has happened, such as orders.placed; or ask by a call, or in a step of a saga",
                )


RULE = Rule(
    code="SH109",
    name="event-as-command",
    severity="warning",
    summary="an event says what somebody should do",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Distributed monolith",),
    needs=frozenset({"declarations"}),
)
