"""What the products service promises the others."""

from typing import Protocol

import msgspec

from shoal import contract, event, get, internal


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What one piece of a product costs."""

    sku: str
    name: str
    amount: int
    """In cents of the currency."""
    currency: str


@contract("products")
class ProductsApi(Protocol):
    """Questions that other services may ask about the catalogue."""

    @get("/prices", access=internal, timeout=2.0, critical=True)
    async def prices(self, skus: list[str]) -> list[Price]:
        """Price products; those that are not on offer are left out."""
        ...


@event("products.listed", key="sku", sequence="number")
class ProductListed(msgspec.Struct, frozen=True, kw_only=True):
    """A product came on offer."""

    sku: str
    number: int = 1
    """Counts what is told of a product as a whole, without gaps."""
    name: str
    description: str
    category: str
    amount: int
    currency: str


@event("products.changed", key="sku", sequence="number")
class ProductChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A product is described, sorted or priced differently from now on."""

    sku: str
    number: int
    name: str
    description: str
    category: str
    amount: int
    currency: str


@event("products.price_changed", key="sku")
class PriceChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A product costs something else from now on; orders that were placed keep their price."""

    sku: str
    before: int
    amount: int
    currency: str
