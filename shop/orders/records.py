"""What the orders service keeps."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from shoal import Rule, owner, personal, record
from shop.orders.contract import OrderLine

Status = Literal["PENDING", "PAID", "CONFIRMED", "CANCELLED", "RETURNING", "RETURNED"]
"""CANCELLED and RETURNED are final, and CONFIRMED unless the customer gives the goods back."""

FINAL = ("CANCELLED", "RETURNED")
"""Nothing follows these."""

Fact = Literal["CAPTURED", "DECLINED", "REFUNDED", "RESERVED", "RETURN_OPENED", "RETURN_REFUSED", "RETURNED"]
"""What the other services may report about an order, and how far its return has come."""

Reason = Literal["payment-declined", "out-of-stock"]


@record("orders", key="order_id", indexes=[("customer_id", "placed_at")])
class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and all that was reported about it."""

    order_id: str
    customer_id: str
    lines: tuple[OrderLine, ...]
    total: int
    """In cents of the currency."""
    currency: str
    payment_method: str
    deliver_to: Annotated[str | None, personal(of="customer_id")] = None
    """Where the parcel goes. The order outlives it: the books need what was bought, not who lives where."""
    status: Status = "PENDING"
    reason: Reason | None = None
    """Why it is cancelled."""
    facts: tuple[Fact, ...] = ()
    """Each once, sorted; the status follows from them alone."""
    version: int = 1
    """Counts its changes, without gaps."""
    announced: int = 1
    """Counts the events that others heard of it, without gaps; the first said that it was placed."""
    placed_at: datetime
    updated_at: datetime


own_order: Rule[Order] = owner("order", lambda order: order.customer_id)
"""An order is for the customer who placed it; to everybody else it is as unknown as one that never was."""
