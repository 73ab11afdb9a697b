"""The app: little, soon, since its users stand in a tunnel."""

import msgspec

from shoal import Cache, Deadline, Objective, Partial, Parts, Problem, Service, anyone
from shop.inventory.contract import Level, StockApi
from shop.products.contract import ProductsApi

mobile = Service("mobile", summary="What the shop's app is told.", objectives=[Objective(availability=0.995)])


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One product on a small screen."""

    name: str
    price: str
    buyable: bool
    """Also where nobody knows: who orders what is not there gets the money back."""


@mobile.get(
    "/mobile/products/{sku}",
    access=anyone,
    timeout=1.0,
    cache=Cache(5, shared=True),
    objectives=[Objective(latency=0.5, target=0.99)],
)
async def show_card(sku: str, deadline: Deadline, products: ProductsApi, inventory: StockApi) -> Partial[Card]:
    """Show one product; the shelf is not waited for long."""
    async with Parts(deadline) as parts:
        prices = parts.ask("prices", products.prices(skus=[sku]), required=True)
        levels = parts.ask("stock", inventory.levels(skus=[sku]), share=0.3)
    if not prices.value:
        raise Problem(404, "not-found", f"{sku} is not on offer")
    offer = prices.value[0]
    there = sum(level.available for level in levels.otherwise(list[Level]()))
    card = Card(
        name=offer.name,
        price=f"{offer.amount / 100:.2f} {offer.currency}",
        buyable=levels.error is not None or there > 0,
    )
    return parts.of(card)
