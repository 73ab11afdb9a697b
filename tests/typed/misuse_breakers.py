"""Mistakes with breakers and fallbacks; each line that says so must be flagged."""

from shoal import CircuitOpen, Service, StandIn, fallbacks
from tests.typed.contract import Quote, QuotesApi

shop = Service("shop")
shop.breaker(QuotesApi.quote, volume_treshold=1)  # expect-error
shop.breaker(QuotesApi.quote, reset_timeout="30 s")  # expect-error
shop.breaker("quotes")  # expect-error
shop.breaker(QuotesApi.qoute)  # expect-error


@shop.fallback(QuotesApi.quote)  # expect-error
async def of_another_type(sku: str, language: str = "en") -> str:
    """Answer something else than the operation."""
    return sku + language


@shop.fallback(QuotesApi.quote)  # expect-error
async def of_fewer(sku: str) -> Quote:
    """Leave a parameter out."""
    return Quote(sku=sku, amount=0)


@shop.fallback(QuotesApi.make)  # expect-error
async def of_another_parameter(quote: str) -> Quote:
    """Take something else."""
    return Quote(sku=quote, amount=0)


@shop.fallback(QuotesApi.make)  # expect-error
def blocking(quote: Quote) -> Quote:
    """Forget that it is asynchronous."""
    return quote


@shop.fallback(QuotesApi.drop, cached="long")  # expect-error
async def lasting(sku: str) -> None:
    """Say a number in words."""


async def look(api: QuotesApi) -> None:
    """Misread what stood in."""
    with fallbacks() as used:
        await api.quote("a")
    used[0].age.upper()  # expect-error
    used.kind  # expect-error  # noqa: B018
    StandIn(call="a", kind="guess", age=0, reason="")  # expect-error
    CircuitOpen("a").after.upper()  # expect-error
