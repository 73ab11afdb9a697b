"""One piece of work asks the same service again and again.

## What it does

Counts in each handler, and in the functions to which it leads, the calls to one other service. More than `most` places
are found, and so is a call for each round of a loop. Of a run it takes what was seen: more than `observed` calls of
one service to one operation within one piece of work.

## Why

Each call costs a millisecond or two and can fail. Ten in a row are slow on good days, and on bad ones ten times as
likely to fail. Two services that talk so much know too much of each other: often they are one.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("products")
class ProductsApi(Protocol):
    @get("/price", access=internal)
    async def price(self, sku: str) -> int: ...


orders = Service("orders")
products = Service("products")


@orders.get("/total", access=anyone)
async def total(sku: list[str], products: ProductsApi) -> int:
    return sum([await products.price(sku=each) for each in sku])  # <- SH103


@products.implements(ProductsApi.price)
async def price(sku: str) -> int:
    return len(sku)


system = System("shop", services=[orders, products])
```

## Good

One call asks for all.

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("products")
class ProductsApi(Protocol):
    @get("/prices", access=internal)
    async def prices(self, sku: list[str]) -> list[int]: ...


orders = Service("orders")
products = Service("products")


@orders.get("/total", access=anyone)
async def total(sku: list[str], products: ProductsApi) -> int:
    return sum(await products.prices(sku=sku))


@products.implements(ProductsApi.prices)
async def prices(sku: list[str]) -> list[int]:
    return [len(each) for each in sku]


system = System("shop", services=[orders, products])
```

## Options

- `most` (3): places in one handler that call the same service.
- `observed` (10): calls of a run to one operation within one piece of work.
"""

from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding, Note
from shoal.check.graph import Handler, Site
from shoal.check.repeats import repeated
from shoal.check.rule import Rule
from shoal.check.subject import Subject


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is allowed."""

    most: int = 3
    """Places in one handler that call the same service."""
    observed: int = 10
    """Calls of a run to one operation within one piece of work."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find what is called too often, by the source and by a run."""
    for handler, sites in subject.graph.sites.items():
        again = repeated(subject, handler, sites)
        certain = [site for site in sites if site.certain]
        for callee in dict.fromkeys(site.call.service for site in certain):
            yield from _of(handler, [site for site in certain if site.call.service == callee], again, options.most)
    yield from _seen(subject, options.observed)


def _of(handler: Handler, sites: list[Site], again: list[Site], most: int) -> Iterator[Finding]:
    callee = sites[0].call.service
    for site in sites:
        if site.looped and site not in again and not _streams(handler):
            yield Finding(
                where=site.where,
                message=f"{handler} calls {site.callee} for each round of a loop",
                impact=f"of n rounds each waits for {callee}, and n calls can fail",
                help=f"give {site.callee} all of them at once: an operation that takes a list",
            )
    if len(sites) > most:
        yield Finding(
            where=sites[0].where,
            message=f"{handler} calls {callee} at {len(sites)} places",
            notes=tuple(Note(site.where, f"again: {site.callee}") for site in sites[1:]),
            help=f"let one operation of {callee} answer all of it, or keep what it tells in events",
        )


def _streams(handler: Handler) -> bool:
    """Tell whether the loop is a conversation, whose rounds come when somebody speaks."""
    return handler.endpoint is not None and handler.endpoint.edge.goes_on


def _seen(subject: Subject, most: int) -> Iterator[Finding]:
    for call in subject.observed.calls if subject.observed else ():
        if call.most > most:
            sites = subject.graph.between.get((call.caller, call.callee), ())
            same = [site for site in sites if site.call.endpoint == call.endpoint]
            own = [site for site in same if str(site.handler) == call.within] or same
            who, what = call.within or call.caller, f"{call.callee}.{call.endpoint}"
            yield Finding(
                where=own[0].where if own else subject.where,
                message=f"{who} called {what} {call.most} times in one piece of work",
                impact=f"{call.most} × {call.p50 * 1000:.1f} ms (p50 of {call.count} calls)",
                help=f"give {what} all of them at once: an operation that takes a list",
            )


RULE = Rule(
    code="SH103",
    name="chatty-pair",
    severity="warning",
    summary="one piece of work asks the same service again and again",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Over-granular services", "Latency", "Tightly coupled data"),
    needs=frozenset({"declarations"}),
)
