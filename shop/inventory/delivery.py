"""The first delivery: what lies on the shelves when the shop opens."""

from importlib import resources

import msgspec

from shop.inventory.records import Shelf, Wanted
from shop.inventory.reserving import take_stock


def opening() -> tuple[Shelf, ...]:
    """Read the shelves that the shop opens with."""
    text = resources.files("shop.inventory").joinpath("delivery.json").read_bytes()
    delivered = msgspec.json.decode(text, type=list[Wanted])
    return tuple(take_stock(Shelf(sku=item.sku), item.quantity) for item in delivered)
