"""What the payments service tells the others."""

from typing import Protocol

import msgspec

from shoal import contract, event, internal, post


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


class RefundAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to give back the money of an order, all of it."""

    order_id: str


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """The money of an order went back to the customer."""

    order_id: str
    refund_id: str
    amount: int
    """In cents of the currency."""
    currency: str


@contract("payments")
class PaymentsApi(Protocol):
    """What payments does for other services."""

    @post("/refunds", access=internal, idempotent=True, timeout=15.0)
    async def refund(self, wish: RefundAsked) -> Refunded:
        """Give back the money of an order, once; 409 ``not-captured`` when the shop does not have it."""
        ...
