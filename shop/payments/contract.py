"""What the payments service tells the others."""

import msgspec

from shoal import event


@event("payments.captured", key="order_id")
class PaymentCaptured(msgspec.Struct, frozen=True, kw_only=True):
    """The money for an order is ours."""

    order_id: str
    charge_id: str
    amount: int
    """In cents of the currency."""
    currency: str


@event("payments.declined", key="order_id", failure=True)
class PaymentDeclined(msgspec.Struct, frozen=True, kw_only=True):
    """The customer's card was not charged, and will not be."""

    order_id: str
    reason: str
    """The provider's word for it, such as ``insufficient_funds``."""


@event("payments.refunded", key="order_id")
class PaymentRefunded(msgspec.Struct, frozen=True, kw_only=True):
    """The money for an order went back to the customer, all of it."""

    order_id: str
    refund_id: str
    amount: int
    currency: str
