"""Labels on the shelves: what lies there, and what it is called and costs, as far as that is known."""

import msgspec

from shoal import StandIn
from shop.inventory.ledger import Shelf
from shop.products.contract import Price


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What a label shows. Nobody is charged by it: orders ask for the price themselves."""

    sku: str
    available: int
    price: Price | None
    """Null while nobody knows it."""
    current: bool
    """Whether the catalogue says so now, and not a while ago."""


def label(shelf: Shelf, prices: list[Price], stand_ins: list[StandIn]) -> Label:
    """Write a label."""
    price = next((price for price in prices if price.sku == shelf.sku), None)
    return Label(sku=shelf.sku, available=shelf.available, price=price, current=not stand_ins)
