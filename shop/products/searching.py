"""What is found by words: a read model that follows from what the catalogue and the shelves announce. Pure."""

from typing import Annotated, Literal

import msgspec

from shoal import Between, Facet, FullText, Hits, Page, PageRequest, Unindexed, record, search_index
from shop.inventory.contract import AvailabilityChanged
from shop.products.contract import ProductChanged, ProductListed

Stock = Literal["IN_STOCK", "SOLD_OUT"]

_BANDS = (0, 2_000, 5_000, 10_000, 25_000)
"""Where bands of prices begin, in cents."""

_BEYOND = 10_000_001
"""More than any product may cost; see `catalogue.Amount`."""

PRICES = Facet("amount", (*map(Between, _BANDS, _BANDS[1:]), Between(_BANDS[-1])))


@search_index("offers", language="english")
@record("offers", key="sku")
class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A product as customers find it."""

    sku: str
    name: Annotated[str, FullText(weight=4, suggest=True)]
    description: Annotated[str, FullText()]
    category: str
    amount: int
    """In cents of the currency."""
    currency: str
    version: Annotated[int, Unindexed()]
    stock: Stock


@record("availability", key="sku")
class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """Whether there are any of a product, once its shelf was heard of: before the product, or after it, or never."""

    sku: str
    stock: Stock


class CategoryCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the products that were found belong to a category."""

    category: str
    count: int


class PriceCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the products that were found cost from `least` to below `below`, in cents."""

    least: int
    below: int | None
    count: int


class Results(Page[Offer], frozen=True, kw_only=True):
    """One page of what was found, and what all of it is."""

    guessed: bool
    """Whether no product has the words as they were written, and these have words like them."""
    categories: list[CategoryCount]
    prices: list[PriceCount]


def offer(event: ProductListed | ProductChanged, stock: Stock) -> Offer:
    """Describe a product as it is from now on."""
    return Offer(
        sku=event.sku,
        name=event.name,
        description=event.description,
        category=event.category,
        amount=event.amount,
        currency=event.currency,
        version=event.number,
        stock=stock,
    )


def availability(event: AvailabilityChanged) -> Availability:
    """Note whether there are any of a product from now on."""
    return Availability(sku=event.sku, stock="IN_STOCK" if event.available else "SOLD_OUT")


def prices_from(at_least: int | None, at_most: int | None) -> Between:
    """Say which prices are wanted. Callers say any number; no product costs as much as an index cannot hold."""
    least, most = (None if price is None else max(-1, min(price, _BEYOND)) for price in (at_least, at_most))
    return Between(least, None if most is None else most + 1)


def results(page: PageRequest, found: Hits[Offer]) -> Results:
    """Show a page of what was found, counted by category and price."""
    shown = page.of([hit.item for hit in found.hits], found.total)
    return Results(
        data=shown.data,
        pagination=shown.pagination,
        links=shown.links,
        guessed=found.guessed,
        categories=[CategoryCount(category=each.value, count=each.count) for each in found.facets["category"]],
        prices=[
            PriceCount(least=each.value.least, below=each.value.below, count=each.count)
            for each in found.facets["amount"]
        ],
    )
