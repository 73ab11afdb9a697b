"""A handler asks several services one after the other, and may wait longer than it is allowed to.

## What it does

Adds up the time limits of the calls in a handler to different services, and compares the sum with the handler's own
limit. A handler that shares its time, with `Parts` or by looking at the `Deadline`, is left alone.

## Why

Each call may take all the time that is left. When the first callee is slow, nothing remains for the others: the caller
gets no answer at all, although most of it was there.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal, timeout=2.0)
    async def price(self) -> int: ...


@contract("stock")
class StockApi(Protocol):
    @get("/left", access=internal, timeout=2.0)
    async def left(self) -> int: ...


web = Service("web")
prices = Service("prices")
stock = Service("stock")


@web.get("/page", access=anyone, timeout=2.0)
async def page(prices: PricesApi, stock: StockApi) -> list[int]:
    return [await prices.price(), await stock.left()]  # <- SH104


@prices.implements(PricesApi.price)
async def price() -> int:
    return 1


@stock.implements(StockApi.left)
async def left() -> int:
    return 1


system = System("shop", services=[web, prices, stock])
```

## Good

Both are asked at once, each within a share of the time, and the page does without what is not there.

```python
from typing import Protocol

from shoal import Deadline, Parts, Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal, timeout=2.0)
    async def price(self) -> int: ...


@contract("stock")
class StockApi(Protocol):
    @get("/left", access=internal, timeout=2.0)
    async def left(self) -> int: ...


web = Service("web")
prices = Service("prices")
stock = Service("stock")


@web.get("/page", access=anyone, timeout=2.0)
async def page(deadline: Deadline, prices: PricesApi, stock: StockApi) -> list[int]:
    async with Parts(deadline) as parts:
        cost = parts.ask("price", prices.price(), required=True)
        there = parts.ask("stock", stock.left())
    return [cost.value, there.otherwise(0)]


@prices.implements(PricesApi.price)
async def price() -> int:
    return 1


@stock.implements(StockApi.left)
async def left() -> int:
    return 1


system = System("shop", services=[web, prices, stock])
```

## Options

- `least` (2): different services that a handler asks.
"""

from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding, Note
from shoal.check.graph import Handler, Site
from shoal.check.rule import Rule
from shoal.check.subject import Subject

SHARING = frozenset({"shoal.Parts", "shoal.Deadline"})
"""What a handler shares its time with."""


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What is allowed."""

    least: int = 2
    """Different services that a handler asks."""


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find handlers whose calls may take longer than they may themselves."""
    for handler, sites in subject.graph.sites.items():
        certain = [site for site in sites if site.certain]
        callees = list(dict.fromkeys(site.call.service for site in certain))
        allowed, taken = _limit(handler), sum(site.call.policy.timeout for site in certain)
        if len(callees) >= options.least and 0 < allowed < taken and not _shares(subject, handler):
            yield _finding(handler, certain, allowed, taken)


def _finding(handler: Handler, sites: list[Site], allowed: float, taken: float) -> Finding:
    return Finding(
        where=sites[0].where,
        message=f"{handler} has {allowed:g} s, and asks for up to {taken:g} s one after the other",
        impact=f"when {sites[0].callee} is slow there is no time left for {sites[-1].callee}, and no answer at all",
        notes=tuple(Note(s.where, f"{s.callee} may take {s.call.policy.timeout:g} s") for s in sites),
        help="ask all at once within shares of the time: async with Parts(deadline) as parts",
    )


def _limit(handler: Handler) -> float:
    """Return the seconds that a handler has; 0 where it lasts as long as somebody listens."""
    if handler.endpoint is not None:
        return 0.0 if handler.endpoint.edge.goes_on else handler.endpoint.policy.timeout
    if handler.subscription is not None:
        return handler.subscription.policy.timeout
    return handler.step.timeout if handler.step is not None else 0.0


def _shares(subject: Subject, handler: Handler) -> bool:
    if handler.function is None:
        return False
    reached = subject.graph.reached(handler)
    return any(SHARING & (function.taken | function.named.keys()) for function in reached)


RULE = Rule(
    code="SH104",
    name="fan-out-without-budget",
    severity="warning",
    summary="a handler asks several services one after the other, for longer than it has time",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Latency", "Ultra-low latency"),
    needs=frozenset({"declarations"}),
)
