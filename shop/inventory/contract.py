"""What the inventory service tells the others."""

from typing import Protocol

import msgspec

from shoal import contract, event, get, internal, post


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


@event("inventory.availability_changed", key="sku")
class AvailabilityChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A product is sold out from now on, or there are some again; one of which nothing was said is there."""

    sku: str
    available: bool


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """The goods of an order, on their way back."""

    order_id: str


@contract("inventory")
class InventoryApi(Protocol):
    """What inventory does for other services."""

    @post("/returns", access=internal, idempotent=True)
    async def take_back(self, parcel: Parcel) -> None:
        """Put the goods of an order back on the shelf, once; 503 as long as they are not known to be sold."""
        ...


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """What lies on one shelf."""

    sku: str
    available: int


@contract("inventory")
class StockApi(Protocol):
    """Questions that other services may ask about the shelves; who asks may change nothing."""

    @get("/levels", access=internal, timeout=2.0)
    async def levels(self, skus: list[str]) -> list[Level]:
        """Tell what lies on shelves; those that do not exist are left out."""
        ...
