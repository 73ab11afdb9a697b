"""How clients outside are shown a product: the second version of its page, and the link that was printed."""

import datetime as dt
from collections.abc import Sequence

import msgspec

from shoal import Headers, Query, Transform
from shop.products.records import Product

DEPRECATED = dt.date(2026, 1, 1)
SUNSET = dt.date(2099, 1, 1)
"""A shop would give its clients a year or two; this one is copied, and must not end by itself in anybody's hands."""

PRINTED = Transform(
    path="/p/{sku}",
    request=Headers(remove=("Cookie",)),
    query=Query(remove=("utm_source", "utm_medium", "utm_campaign")),
    response=Headers(set={"X-Robots-Tag": "noindex"}),
)
"""The short link in printed catalogues, which cannot be printed again.

Cookies that the shop before set for its whole domain are nobody's business here; a campaign would only make one answer
more to keep; and search engines know each product by one address.
"""


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """An amount that never goes without its currency."""

    amount: int
    """In cents of the currency."""
    currency: str


class ProductView(msgspec.Struct, frozen=True, kw_only=True):
    """A product from version 2 on: its price is one thing, so that the shop may sell in several currencies one day."""

    sku: str
    name: str
    description: str
    category: str
    price: Money
    images: Sequence[str] = ()
    """Where its pictures are, for an hour."""


def view(product: Product, images: Sequence[str]) -> ProductView:
    """Show a product."""
    return ProductView(
        sku=product.sku,
        name=product.name,
        description=product.description,
        category=product.category,
        price=Money(amount=product.amount, currency=product.currency),
        images=images,
    )
