"""What the orders service tells the others."""

from datetime import datetime

import msgspec

from shoal import event


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """Some pieces of one product, at the price of the moment when they were ordered."""

    sku: str
    name: str
    quantity: int
    unit_amount: int
    """Price of one piece, in cents of the order's currency."""


@event("orders.placed", key="order_id", sequence="number")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody ordered something, and is to pay for it."""

    order_id: str
    number: int = 1
    """Counts the events of an order, without gaps."""
    customer_id: str
    lines: tuple[OrderLine, ...]
    """One per product."""
    total: int
    """In cents of the currency."""
    currency: str
    payment_method: str
    """The payment provider's token of the customer's card."""
    placed_at: datetime


@event("orders.confirmed", key="order_id", sequence="number")
class OrderConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """An order is paid for and lies ready. This is final."""

    order_id: str
    number: int
    customer_id: str
    lines: tuple[OrderLine, ...]
    total: int
    currency: str
    confirmed_at: datetime


@event("orders.cancelled", key="order_id", sequence="number")
class OrderCancelled(msgspec.Struct, frozen=True, kw_only=True):
    """An order will not be delivered, and nothing is owed for it. This is final."""

    order_id: str
    number: int
    customer_id: str
    reason: str
    """``payment-declined`` or ``out-of-stock``."""
    total: int
    currency: str
    cancelled_at: datetime


@event("orders.returned", key="order_id", sequence="number")
class OrderReturned(msgspec.Struct, frozen=True, kw_only=True):
    """The goods of an order came back, and so did the money. This is final."""

    order_id: str
    number: int
    customer_id: str
    total: int
    """What went back to the customer, in cents of the currency."""
    currency: str
    returned_at: datetime
