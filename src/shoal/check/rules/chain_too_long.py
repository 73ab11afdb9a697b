"""A request passes through too many services that wait for each other.

## What it does

Follows calls between services from each handler: which operation calls which, and that one which. A way through more
than `most` services is found, at the first call of it. Where the callees promise an availability, those promises are
multiplied; the others count as `availability`. A call with a fallback does not multiply, since its callee may be away.

Of a system in other files only who calls whom is known, and not in which request: the longest way to each service is
shown, and whether a request takes all of it is for a person to say.

## Why

Every service of the chain has to answer, so their failures add up: four at 99.9 % give 99.6 %, three hours a month. So
do their times: the first one waits for all the others. And none of them can be deployed or stopped without the first
one noticing. This is called a distributed monolith.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("users")
class UsersApi(Protocol):
    @get("/name", access=internal)
    async def name(self) -> str: ...


@contract("payments")
class PaymentsApi(Protocol):
    @get("/paid", access=internal)
    async def paid(self) -> str: ...


@contract("inventory")
class InventoryApi(Protocol):
    @get("/there", access=internal)
    async def there(self) -> str: ...


orders = Service("orders")
users = Service("users")
payments = Service("payments")
inventory = Service("inventory")


@orders.get("/orders", access=anyone)
async def place(users: UsersApi) -> str:
    return await users.name()  # <- SH101


@users.implements(UsersApi.name)
async def name(payments: PaymentsApi) -> str:
    return await payments.paid()


@payments.implements(PaymentsApi.paid)
async def paid(inventory: InventoryApi) -> str:
    return await inventory.there()


@inventory.implements(InventoryApi.there)
async def there() -> str:
    return "yes"


system = System("shop", services=[orders, users, payments, inventory])
```

## Good

The order is placed, and who has to do something about it hears of it.

```python
import msgspec

from shoal import Postgres, Service, System, Transaction, anyone, event


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced])
payments = Service("payments", store=Postgres())
inventory = Service("inventory", store=Postgres())


@orders.post("/orders", access=anyone)
async def place(tx: Transaction) -> str:
    tx.publish(OrderPlaced(order_id="1"))
    return "1"


@payments.on(OrderPlaced)
async def charge(event: OrderPlaced, tx: Transaction) -> None: ...


@inventory.on(OrderPlaced)
async def reserve(event: OrderPlaced, tx: Transaction) -> None: ...


system = System("shop", services=[orders, payments, inventory])
```

## Options

- `most` (3): services on a way, the first one included.
- `availability` (0.999): of a service that promises none.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from shoal.check.finding import Finding, Note
from shoal.check.graph import Site
from shoal.check.rule import Rule
from shoal.check.subject import Subject
from shoal.model.system import System


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is allowed."""

    most: int = 3
    """Services on a way, the first one included."""
    availability: float = 0.999
    """Of a service that promises none."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find the ways through more services than are allowed."""
    for chain in _chains(subject):
        way = [chain[0].handler.service.name, *(site.call.service for site in chain)]
        if len(way) > options.most:
            yield Finding(
                where=chain[0].where,
                message=f"synchronous chain of {len(way)} services: {' → '.join(way)}",
                impact=_impact(subject, chain, options.availability),
                notes=tuple(Note(s.where, f"{s.handler.service.name} calls {s.callee}") for s in chain[1:]),
                help=f"let {chain[0].handler.service.name} publish an event that {way[-1]} hears, or answer from what"
                f" {way[1]} has told before",
            )


def _chains(subject: Subject) -> Iterable[Sequence[Site]]:
    """List the ways; where only settings tell of them, the longest to each service, since one is much like another."""
    if subject.has("declarations"):
        return subject.graph.chains
    longest: dict[str, Sequence[Site]] = {}
    for chain in sorted(filter(None, subject.graph.chains), key=len):
        longest[chain[-1].call.service] = chain
    return longest.values()


def _impact(subject: Subject, chain: Sequence[Site], usual: float) -> str:
    """Say what it costs: the availability of all together, and how long the first one may wait."""
    away = [site for site in chain if not _stands_in(site)]
    whole = math.prod(_availability(subject.system, site.call.service, usual) for site in away)
    lost = (1 - whole) * 30 * 24 * 60
    told = f"{whole * 100:.4g} % of the requests find all {len(away)} callees there, {lost:.0f} minutes a month do not"
    if not subject.has("declarations"):
        return f"{told}, if each of them is there for {usual * 100:g} %"
    return f"{told}; the caller waits up to {chain[0].call.policy.timeout:g} s; {_times(subject, chain)}"


def _times(subject: Subject, chain: Sequence[Site]) -> str:
    """Add up what each callee takes: as measured, where a run was, else as it is promised or allowed."""
    seen = {(o.service, o.endpoint): o.p99 for o in (subject.observed.operations if subject.observed else ())}
    measured = [seen[site.callee] for site in chain if site.callee in seen]
    if len(measured) == len(chain):
        return f"p99 adds to {sum(measured) * 1000:.0f} ms (measured)"
    return f"their time limits add to {sum(site.call.policy.timeout for site in chain):g} s"


def _stands_in(site: Site) -> bool:
    return site.call.breaker is not None and bool(site.call.breaker.fallback or site.call.breaker.cached)


def _availability(system: System, name: str, usual: float) -> float:
    return next((o.availability for o in system.service(name).objectives if o.availability), usual)


RULE = Rule(
    code="SH101",
    name="chain-too-long",
    severity="warning",
    summary="a request passes through too many services that wait for each other",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Distributed monolith", "Latency", "Ultra-low latency"),
    needs=frozenset({"calls"}),
)
