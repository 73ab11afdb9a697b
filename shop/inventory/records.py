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


@record("shelves_before_ledger", key="sku")
class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What lay on a shelf when balances were all that was kept; see `ledger`."""

    sku: str
    available: int
    reserved: int
    sold: int


@record("reservations", key="order_id")
class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """What is laid ready for one order."""

    order_id: str
    stage: Stage = "AWAITED"
    wanted: tuple[Wanted, ...] = ()
    """Empty until the order is known."""
    paid: bool = False
