"""An event says that something failed, and no service hears it.

## What it does

Looks for events that are called after a failure, such as `payments.declined`, and that no handler and no projection
hears. Of an event that is declared with `failure=True`, the plan says more: whether a service that did an
earlier step hears it (`PLAN-SAGA-01`); those are left to it.

## Why

Somebody has done something before the failure: taken an order, reserved a seat. Nobody undoes it when nobody hears. The
order waits for ever for a payment that was declined long ago.

## Bad

```python
import msgspec

from shoal import Postgres, Service, System, event


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


@event("payments.declined", key="order_id")  # <- SH205
class PaymentDeclined(msgspec.Struct, frozen=True):
    order_id: str


orders = Service("orders", store=Postgres(migrations=""), publishes=[OrderPlaced])
payments = Service("payments", store=Postgres(migrations=""), publishes=[PaymentDeclined])


@payments.on(OrderPlaced, leads_to=[PaymentDeclined])
async def charge(placed: OrderPlaced) -> None:
    \"\"\"Take the money.\"\"\"


system = System("shop", services=[orders, payments])
```

## Good

```python
import msgspec

from shoal import Postgres, Service, System, event


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: str


@event("payments.declined", key="order_id", failure=True)
class PaymentDeclined(msgspec.Struct, frozen=True):
    order_id: str


orders = Service("orders", store=Postgres(migrations=""), publishes=[OrderPlaced])
payments = Service("payments", store=Postgres(migrations=""), publishes=[PaymentDeclined])


@payments.on(OrderPlaced, leads_to=[PaymentDeclined])
async def charge(placed: OrderPlaced) -> None:
    \"\"\"Take the money.\"\"\"


@orders.on(PaymentDeclined, leads_to=[])
async def cancel(declined: PaymentDeclined) -> None:
    \"\"\"Cancel the order.\"\"\"


system = System("shop", services=[orders, payments])
```

## Options

- `words` (none): further words by which events are called that say that something failed.
"""

import re
from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding
from shoal.check.rule import Rule
from shoal.check.subject import Subject

WORDS = frozenset({"failed", "failure", "declined", "rejected", "refused", "denied", "aborted", "unavailable"})
"""Words that say that what was wanted did not happen."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What else says that something failed."""

    words: tuple[str, ...] = ()
    """Further words."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find failures of which nobody hears."""
    heard = set(subject.graph.consumers) | {
        event for service in subject.system.services for model in service.projections for event in model.events
    }
    for service in subject.system.services:
        for event in service.publishes:
            words = set(re.split(r"[._-]", event.name.partition(".")[2]))
            if not event.failure and event.id not in heard and words & {*WORDS, *options.words}:
                yield Finding(
                    where=subject.place(event.source),
                    message=f"{event.id} says that something failed, and no service hears it",
                    impact="what was done before the failure stays as it is",
                    help="handle it in the services that did an earlier step, and declare it with failure=True",
                )


RULE = Rule(
    code="SH205",
    name="failure-unheard",
    severity="warning",
    summary="an event says that something failed, and no service hears it",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Ignoring data consistency",),
    needs=frozenset({"declarations"}),
)
