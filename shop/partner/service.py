"""Other shops: many products at once, complete or not at all, since programs act on what they are told.

Partners are programs with keys, of which each has a name in `shop/system.py`: ``shoal keys create NAME``.
"""

from typing import Annotated

import msgspec

from shoal import Deadline, Objective, Only, Parts, RateLimit, Service, Traffic, role
from shop.inventory.contract import StockApi
from shop.products.contract import ProductsApi

partner = Service(
    "partner",
    summary="What other shops are told.",
    traffic=Traffic(requests=32),  # their nightly jobs come all at once, and must not keep the catalogue from customers
    objectives=[Objective(availability=0.99)],
)

OWN_HOST = Only(hosts=("partners.shop.example", "partners.localhost"))
"""Partners have a door of their own, which can move and be measured apart from the shop's. The second is a laptop's."""

A_FEW = RateLimit(requests=10, per=1, burst=20)
"""Of each partner."""

Skus = Annotated[list[str], msgspec.Meta(min_length=1, max_length=100)]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One product that somebody else may sell."""

    sku: str
    amount: int
    """In cents of the currency."""
    currency: str
    available: int


@partner.get("/partner/offers", access=role("partner"), only=OWN_HOST, timeout=5.0, version=1, limit=A_FEW)
async def offers(sku: Skus, deadline: Deadline, products: ProductsApi, inventory: StockApi) -> list[Offer]:
    """List what is on offer and on the shelf."""
    async with Parts(deadline) as parts:
        prices = parts.ask("prices", products.prices(skus=sku), required=True)
        levels = parts.ask("stock", inventory.levels(skus=sku), required=True)
    there = {level.sku: level.available for level in levels.value}
    return [Offer(sku=p.sku, amount=p.amount, currency=p.currency, available=there.get(p.sku, 0)) for p in prices.value]
