"""What the inventory service keeps."""

from typing import Literal

import msgspec

from shoal import record

Stage = Literal["AWAITED", "RESERVED", "SOLD", "REJECTED", "RELEASED", "RETURNED"]
"""Of a reservation. AWAITED: not yet both known and paid for. The last three are final."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Some pieces of one product."""

    sku: str
    quantity: int


@record("shelves", key="sku")
class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """The pieces of one product. Always, received = available + reserved + sold."""

    sku: str
    received: int = 0
    """All that ever came in."""
    available: int = 0
    reserved: int = 0
    """Laid ready for orders that are paid for."""
    sold: int = 0


@record("reservations", key="order_id")
class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """What is laid ready for one order."""

    order_id: str
    stage: Stage = "AWAITED"
    wanted: tuple[Wanted, ...] = ()
    """Empty until the order is known."""
    paid: bool = False
