"""Pages: everything about a few products, and rather a gap than no page."""

from typing import Annotated

import msgspec

from shoal import Deadline, Partial, Parts, Problem, Rollout, Service, Traffic, anyone
from shop.inventory.contract import Level, StockApi
from shop.products.contract import Price, ProductsApi

web = Service(
    "web",
    summary="What the shop's pages are told.",
    traffic=Traffic(rollout=Rollout(override="anyone")),  # who makes the pages sees a new version before its guests do
)

Skus = Annotated[list[str], msgspec.Meta(min_length=1, max_length=20)]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One product on a page."""

    price: Price
    available: int | None = None
    """Pieces on the shelf; nothing is said where nobody knows."""


@web.get("/web/products", access=anyone, timeout=2.0)
async def show_products(
    sku: Skus, deadline: Deadline, products: ProductsApi, inventory: StockApi
) -> Partial[list[Shown]]:
    """Show products with what there is of them."""
    async with Parts(deadline) as parts:
        prices = parts.ask("prices", products.prices(skus=sku), required=True)
        levels = parts.ask("stock", inventory.levels(skus=sku))
    if not prices.value:
        raise Problem(404, "not-found", "none of these is on offer")
    there = {level.sku: level.available for level in levels.otherwise(list[Level]())}
    return parts.of([Shown(price=price, available=there.get(price.sku)) for price in prices.value])
