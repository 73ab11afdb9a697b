"""What happened, as rows for the warehouse: they are appended and never changed."""

from datetime import datetime
from typing import Literal, get_args

import msgspec

from shoal import fact_table

Step = Literal["signed-up", "placed", "reserved", "paid", "confirmed", "short", "declined", "cancelled", "refunded",
               "returned"]  # fmt: skip
STEPS = get_args(Step)
"""In the order in which an order takes them."""


@fact_table("steps")
class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """A customer, or an order, came one step further."""

    step: Step
    order_id: str
    """Empty for who only signed up."""
    amount: int = 0
    """In cents of the currency; 0 where nothing is owed or paid."""
    currency: str = ""
    at: datetime


@fact_table("sales")
class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order that was confirmed."""

    order_id: str
    sku: str
    name: str
    quantity: int
    amount: int
    """Of the whole line, in cents of the currency."""
    currency: str
    at: datetime


@fact_table("failed_payments")
class FailedPayment(msgspec.Struct, frozen=True, kw_only=True):
    """A card was not charged."""

    order_id: str
    reason: str
    """The provider's word for it."""
    at: datetime
