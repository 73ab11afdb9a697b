"""What authors write for the gateway: browsers, versions, caches, streams and parts."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import assert_type

from shoal import (
    Cache,
    Cors,
    Deadline,
    Gateway,
    Part,
    Partial,
    Parts,
    Postgres,
    RateLimit,
    SecurityHeaders,
    Service,
    System,
    Tls,
    Transaction,
    Update,
    Versions,
    Watch,
    anyone,
    signed_in,
)
from tests.typed.contract import Quote, QuotesApi, QuoteTaken

front = Service("front", store=Postgres())


@front.get(
    "/quotes/{sku}",
    version=1,
    deprecated=dt.date(2026, 1, 1),
    sunset=dt.date(2027, 1, 1),
    access=anyone,
    audited=True,
)
async def old(sku: str) -> str:
    """Answer as it used to be."""
    return sku


@front.get(
    "/quotes/{sku}",
    version=2,
    access=anyone,
    cache=Cache(60, shared=True, invalidated_by=[QuoteTaken]),
    limit=RateLimit(requests=10, per=60, by="address", shared="counted"),
)
async def new(sku: str, deadline: Deadline, quotes: QuotesApi) -> Partial[int | None]:
    """Answer with what came."""
    async with Parts(deadline) as parts:
        quote = parts.ask("quote", quotes.quote(sku), share=0.5)
    assert_type(quote, Part[Quote])
    assert_type(quote.value, Quote)
    assert_type(quote.otherwise(None), Quote | None)
    return parts.of(None if quote.error else quote.value.amount)


@front.stream("/quotes/{sku}/events", on=[QuoteTaken], heartbeat=5, access=signed_in, timeout=60)
async def follow(sku: str, watch: Watch) -> AsyncIterator[Update[int]]:
    """Tell what is left."""

    async def read(tx: Transaction) -> int:
        return len(sku)

    async for count in watch(read):
        assert_type(count, int)
        yield Update(data=count, id=str(count))


system = System(
    "front",
    services=[front],
    gateway=Gateway(
        cors=Cors(origins=("https://a.example",), credentials=True),
        headers=SecurityHeaders(frame_options=""),
        tls=Tls(names=("localhost",), minimum="1.3"),
        versions=Versions(default=2),
    ),
)
