"""A critical operation waits for a service that fails.

## What it does

Looks for calls without a circuit breaker from operations that are declared `critical=True`.

## Why

As long as a callee fails slowly, each request that asks it waits for its whole time. They pile up until the caller has
no room left, also for what does not need the callee. A breaker notices after a few failures and answers at once, from
what was known before where that helps.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal)
    async def price(self) -> int: ...


prices = Service("prices")
web = Service("web")


@prices.implements(PricesApi.price)
async def price() -> int:
    \"\"\"What it costs.\"\"\"
    return 3


@web.get("/page", access=anyone, critical=True)
async def page(prices: PricesApi) -> int:
    \"\"\"Show the price.\"\"\"
    return await prices.price()  # <- SH305


system = System("shop", services=[prices, web])
```

## Good

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal)
    async def price(self) -> int: ...


prices = Service("prices")
web = Service("web")
web.breaker(PricesApi.price, reset_timeout=5)


@prices.implements(PricesApi.price)
async def price() -> int:
    \"\"\"What it costs.\"\"\"
    return 3


@web.get("/page", access=anyone, critical=True)
async def page(prices: PricesApi) -> int:
    \"\"\"Show the price.\"\"\"
    return await prices.price()


system = System("shop", services=[prices, web])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.graph import Site
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find calls of critical operations that nothing breaks off."""
    for handler, sites in subject.graph.sites.items():
        if handler.endpoint is None or not handler.endpoint.critical:
            continue
        for site in sites:
            if site.certain and site.call.breaker is None:
                yield Finding(
                    where=site.where,
                    message=f"{handler} is critical, and calls {site.callee} without a breaker",
                    impact=f"while it fails, each request waits up to {site.call.policy.timeout:g} s for it",
                    help=f"declare one: {_breaker(subject, site)}, or a fallback, where something can stand in for it",
                )


def _breaker(subject: Subject, site: Site) -> str:
    """Spell the breaker that is to be declared."""
    service = site.handler.service.entry.rpartition(":")[2]
    found = (subject.source.contract(name) for name in subject.source.marked("shoal.contract"))
    named = (
        f"{contract.name.rpartition('.')[2]}.{site.call.endpoint}"
        for contract in found
        if contract and contract.service == site.call.service and site.call.endpoint in contract.operations
    )
    return f"{service}.breaker({next(named, site.callee)}, reset_timeout=5)"


RULE = Rule(
    code="SH305",
    name="breaker-missing",
    severity="warning",
    summary="a critical operation waits for a service that fails",
    page=__doc__,
    find=find,
    answers=("No circuit breakers",),
    needs=frozenset({"declarations"}),
)
