"""What the inventory service tells the others."""

import msgspec

from shoal import event


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing for one line of an order."""

    sku: str
    wanted: int
    available: int


@event("inventory.reserved", key="order_id")
class StockReserved(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of an order lie ready."""

    order_id: str


@event("inventory.rejected", key="order_id", failure=True)
class StockRejected(msgspec.Struct, frozen=True, kw_only=True):
    """Not all lines of an order are there, so that none was taken."""

    order_id: str
    shortages: tuple[Shortage, ...]
