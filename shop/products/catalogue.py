"""The catalogue without any store: what may be listed, and what the shop opens with."""

from importlib import resources
from typing import Annotated

import msgspec

from shop.products.contract import Price, PriceChanged, ProductChanged, ProductListed
from shop.products.records import Product

CURRENCY = "EUR"
"""The shop's only currency."""

Sku = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}-[0-9]{4}$(?!\n)", examples=["KIT-0110"])]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Amount = Annotated[int, msgspec.Meta(gt=0, le=10_000_000, description="in cents")]


class ProductDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What may change about a product."""

    name: Label
    description: Text
    category: Label
    amount: Amount


class NewProduct(ProductDetails, frozen=True, kw_only=True):
    """A product to list."""

    sku: Sku


def product(sku: str, details: ProductDetails, version: int = 1) -> Product:
    """Make the product that `details` describe."""
    return Product(
        version=version,
        sku=sku,
        name=details.name,
        description=details.description,
        category=details.category,
        amount=details.amount,
        currency=CURRENCY,
    )


def listed(new: Product) -> ProductListed:
    """Announce a new product."""
    return ProductListed(
        sku=new.sku,
        number=new.version,
        name=new.name,
        description=new.description,
        category=new.category,
        amount=new.amount,
        currency=new.currency,
    )


def changed(after: Product) -> ProductChanged:
    """Announce what a product is from now on."""
    return ProductChanged(
        sku=after.sku,
        number=after.version,
        name=after.name,
        description=after.description,
        category=after.category,
        amount=after.amount,
        currency=after.currency,
    )


def price_changed(before: Product, after: Product) -> PriceChanged | None:
    """Announce a new price, if it is one."""
    if before.amount == after.amount:
        return None
    return PriceChanged(sku=after.sku, before=before.amount, amount=after.amount, currency=after.currency)


def price(offered: Product) -> Price:
    """Tell what one piece costs."""
    return Price(sku=offered.sku, name=offered.name, amount=offered.amount, currency=offered.currency)


def opening() -> tuple[Product, ...]:
    """Read the products that the shop opens with."""
    text = resources.files("shop.products").joinpath("catalogue.json").read_bytes()
    return tuple(product(new.sku, new) for new in msgspec.json.decode(text, type=list[NewProduct]))
