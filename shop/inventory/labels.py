"""Labels on the shelves: what lies there, and what it is called and costs, as far as that is known."""

from typing import Annotated

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


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A code that a scanner has read."""

    sku: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to a code."""

    sku: str
    label: Label | None
    """Null where there is no such shelf."""


def label(shelf: Shelf, prices: list[Price], stand_ins: list[StandIn]) -> Label:
    """Write a label."""
    price = next((price for price in prices if price.sku == shelf.sku), None)
    return Label(sku=shelf.sku, available=shelf.available, price=price, current=not stand_ins)
