"""A promise is higher than what those it depends on promise.

## What it does

Takes each operation with an availability objective (its own or its service's), and multiplies the availabilities that
the services promise which it calls without a stand-in. Where the product is less than the promise, the operation breaks
it although everybody keeps theirs.

## Why

An operation that waits for two services of 99.9 % finds both 99.8 % of the time. A promise of 99.9 % is broken before
its own code fails once. Somebody is woken for it every month, and can do nothing.

## Bad

```python
from typing import Protocol

from shoal import Objective, Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal)
    async def price(self) -> int: ...


prices = Service("prices", objectives=[Objective(availability=0.99)])
web = Service("web", objectives=[Objective(availability=0.999)])


@prices.implements(PricesApi.price)
async def price() -> int:
    \"\"\"What it costs.\"\"\"
    return 3


@web.get("/page", access=anyone)  # <- SH304
async def page(prices: PricesApi) -> int:
    \"\"\"Show the price.\"\"\"
    return await prices.price()


system = System("shop", services=[prices, web])
```

## Good

```python
from typing import Protocol

from shoal import Objective, Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal)
    async def price(self) -> int: ...


prices = Service("prices", objectives=[Objective(availability=0.99)])
web = Service("web", objectives=[Objective(availability=0.98)])


@prices.implements(PricesApi.price)
async def price() -> int:
    \"\"\"What it costs.\"\"\"
    return 3


@web.get("/page", access=anyone)
async def page(prices: PricesApi) -> int:
    \"\"\"Show the price.\"\"\"
    return await prices.price()


system = System("shop", services=[prices, web])
```
"""

import math
from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.graph import Handler
from shoal.check.promises import needed, promised, usual
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find promises that cannot be kept."""
    for handler in subject.graph.sites:
        own, known = _promised(handler), needed(subject, handler)
        if own and known and math.prod(known.values()) < own - 1e-12:
            together = " × ".join(f"{name} {share * 100:g} %" for name, share in known.items())
            yield Finding(
                where=subject.place(handler.where),
                message=f"{handler} promises {own * 100:g} %, and waits for {together}",
                impact=f"{math.prod(known.values()) * 100:.4g} % is all that it can keep",
                help=f"promise less: availability={usual(known):g}; or give a call a stand-in: a breaker with cached="
                " or a fallback",
            )


def _promised(handler: Handler) -> float:
    if handler.endpoint is None or not handler.endpoint.exposed:
        return 0.0
    return promised(handler.endpoint.objectives) or promised(handler.service.objectives)


RULE = Rule(
    code="SH304",
    name="promise-beyond-callees",
    severity="warning",
    summary="a promise is higher than what those it depends on promise",
    page=__doc__,
    find=find,
    answers=("No circuit breakers",),
    needs=frozenset({"declarations"}),
)
