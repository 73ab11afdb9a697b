"""What the orders service is asked over HTTP, and what it answers."""

from datetime import datetime
from typing import Annotated

import msgspec

from shop.orders.contract import OrderLine
from shop.orders.records import Order, Reason, Status

Sku = Annotated[str, msgspec.Meta(min_length=1, max_length=40, examples=["KIT-0110"])]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=99)]
PaymentMethod = Annotated[
    str, msgspec.Meta(max_length=100, pattern=r"^(tok|pm)_[A-Za-z0-9_]+$(?!\n)", examples=["tok_visa"])
]

DeliveryAddress = Annotated[
    str, msgspec.Meta(min_length=1, max_length=400, examples=["Ada Lovelace, 12 Dorset St, London"])
]


class NewLine(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for some pieces of one product."""

    sku: Sku
    quantity: Quantity = 1


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for an order. Lines with the same product are added up."""

    lines: Annotated[tuple[NewLine, ...], msgspec.Meta(min_length=1, max_length=50)]
    payment_method: PaymentMethod
    """The payment provider's token of the customer's card."""
    deliver_to: DeliveryAddress | None = None
    """Where the parcel goes, as it is written on it."""


class OrderView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order as its owner sees it."""

    order_id: str
    status: Status
    reason: Reason | None = None
    lines: tuple[OrderLine, ...]
    total: int
    """In cents of the currency."""
    currency: str
    deliver_to: str | None = None
    placed_at: datetime
    updated_at: datetime


def view(order: Order) -> OrderView:
    """Show an order to its owner."""
    return OrderView(
        order_id=order.order_id,
        status=order.status,
        reason=order.reason,
        lines=order.lines,
        total=order.total,
        currency=order.currency,
        deliver_to=order.deliver_to,
        placed_at=order.placed_at,
        updated_at=order.updated_at,
    )
