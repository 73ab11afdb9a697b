"""Anybody may set calls between services off, or keep connections, as often as they like.

## What it does

Looks for operations for `anyone` that call other services and have neither a limit nor a cache at the gateway, and for
streams and sockets for `anyone` without a limit: each holds a connection and its memory as long as a client wishes.
What anybody may change is looked at by SH401.

## Why

One client with a loop takes the room of two services, also from those who have nothing to do with it. A service under
more load than it can take refuses some requests, but it cannot tell whose; a limit for each address can.

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


@web.get("/page", access=anyone)  # <- SH307
async def page(prices: PricesApi) -> int:
    \"\"\"Show the price.\"\"\"
    return await prices.price()


system = System("shop", services=[prices, web])
```

## Good

```python
from typing import Protocol

from shoal import RateLimit, Service, System, anyone, contract, get, internal


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


@web.get("/page", access=anyone, limit=RateLimit(requests=20, burst=60, by="address"))
async def page(prices: PricesApi) -> int:
    \"\"\"Show the price.\"\"\"
    return await prices.price()


system = System("shop", services=[prices, web])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find open operations that call others and limit nobody."""
    for lasting in (e for service in subject.system.services for e in service.endpoints if e.edge.goes_on):
        if lasting.access.kind == "anyone" and not lasting.edge.limit:
            yield Finding(
                where=subject.place(lasting.source),
                message=f"anybody may keep {lasting.method} {lasting.path} open, as often as they like",
                help='add limit=RateLimit(requests=2, burst=10, by="address")',
            )
    for handler, sites in subject.graph.sites.items():
        endpoint = handler.endpoint
        if endpoint is None or endpoint.access.kind != "anyone" or endpoint.edge.limit or endpoint.edge.cache:
            continue
        if endpoint.edge.goes_on:
            continue
        callees = list(dict.fromkeys(site.call.service for site in sites if site.certain))
        if callees:
            yield Finding(
                where=subject.place(endpoint.source),
                message=f"anybody may ask for {handler}, and each time it asks {', '.join(callees)}",
                help='add limit=RateLimit(requests=20, burst=60, by="address"), or cache=...',
            )


RULE = Rule(
    code="SH307",
    name="public-without-limit",
    severity="info",
    summary="anybody may set calls between services off, or keep connections, as often as they like",
    page=__doc__,
    find=find,
    needs=frozenset({"declarations"}),
)
