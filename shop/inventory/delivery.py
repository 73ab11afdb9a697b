"""The first delivery: what lies on the shelves when the shop opens."""

from importlib import resources

import msgspec

from shop.inventory.records import Wanted


def opening() -> tuple[Wanted, ...]:
    """Read what is delivered before the shop opens: for every product a shelf, one of them empty."""
    text = resources.files("shop.inventory").joinpath("delivery.json").read_bytes()
    return tuple(msgspec.json.decode(text, type=list[Wanted]))
