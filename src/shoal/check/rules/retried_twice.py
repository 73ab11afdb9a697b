"""A call is repeated by code that the framework repeats already, or that must not be repeated.

## What it does

Looks for functions that are repeated by a decorator (`tenacity.retry`, `stamina.retry`, `backoff.on_exception`,
`retrying.retry`, or one of your own), by a function that repeats what it is given, or by a loop that catches errors or
asks a library for attempts, and that call another service. The framework repeats what is safe to repeat, within the
caller's time and within a budget. Where it does not, because the operation is not idempotent, repeating is an error.

## Why

Attempts multiply: three tries of what is tried three times are nine requests, and they come just when the callee has
too much to do. An operation that is not idempotent may have happened although nobody heard the answer; tried again, the
customer pays twice.

## Bad

```python
from typing import Protocol

from shoal import CallFailed, Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal)
    async def price(self) -> int: ...


prices = Service("prices")
orders = Service("orders")


@prices.implements(PricesApi.price)
async def price() -> int:
    \"\"\"What it costs.\"\"\"
    return 3


@orders.get("/total", access=anyone)
async def total(prices: PricesApi) -> int:
    \"\"\"What all of it costs.\"\"\"
    for _ in range(3):
        try:
            return await prices.price()  # <- SH302
        except CallFailed:
            continue
    return 0


system = System("shop", services=[prices, orders])
```

## Good

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal, attempts=3)
    async def price(self) -> int: ...


prices = Service("prices")
orders = Service("orders")


@prices.implements(PricesApi.price)
async def price() -> int:
    \"\"\"What it costs.\"\"\"
    return 3


@orders.get("/total", access=anyone)
async def total(prices: PricesApi) -> int:
    \"\"\"What all of it costs.\"\"\"
    return await prices.price()


system = System("shop", services=[prices, orders])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.graph import Site
from shoal.check.repeats import repeated
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject
from shoal.model.service import Endpoint


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find calls that the author's own code repeats."""
    for handler, sites in subject.graph.sites.items():
        for site in repeated(subject, handler, sites):
            yield _finding(subject, site)


def _finding(subject: Subject, site: Site) -> Finding:
    endpoint = subject.system.service(site.call.service).endpoint(site.call.endpoint)
    attempts = site.call.policy.attempts
    if endpoint is not None and not _repeatable(endpoint):
        return Finding(
            where=site.where,
            message=f"{site.handler.service.name} repeats {site.callee}, which is not safe to repeat",
            impact="what happened although its answer was lost happens again",
            help=f"declare {site.callee} idempotent=True, and let the framework repeat it",
            severity="error",
        )
    return Finding(
        where=site.where,
        message=f"{site.handler.service.name} repeats {site.callee}, which is tried {attempts} times already",
        impact=f"each round of its own makes up to {attempts} requests, beyond the budget of repeats",
        help="take what repeats it away; attempts= of the operation says how often it is tried",
    )


def _repeatable(endpoint: Endpoint) -> bool:
    return endpoint.idempotent or endpoint.method in {"GET", "PUT", "DELETE"}


RULE = Rule(
    code="SH302",
    name="retried-twice",
    severity="warning",
    summary="a call is repeated by code that must not repeat it, or need not",
    page=__doc__,
    find=find,
    answers=("No circuit breakers",),
    needs=frozenset({"source"}),
)
