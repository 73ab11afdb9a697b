"""What payments asks of a payment provider: a narrow port."""

from typing import Protocol

import msgspec

from shoal import ShoalError, Unavailable


class ChargeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Money to take, under a key that makes the request safe to repeat."""

    key: str
    order_id: str
    amount: int
    """In cents of the currency."""
    currency: str
    method: str
    """The provider's token of the customer's card."""


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A charge to give back in full, under a key that makes the request safe to repeat."""

    key: str
    charge_id: str


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """The provider took the money."""

    charge_id: str


class Decline(msgspec.Struct, frozen=True, kw_only=True):
    """The provider did not take the money and never will under this key."""

    reason: str


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """The provider gave the money back."""

    refund_id: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A charge as the provider lists it."""

    charge_id: str
    order_id: str
    """Empty when the charge is of no order."""
    amount: int
    currency: str


class OutcomeUnknown(Unavailable):
    """Report that nobody knows whether the provider did it: ask again under the same key, for as long as it takes."""


class ProviderRefused(ShoalError):
    """Report that the provider did not do it, for a reason that an operator must remove."""


class PaymentProvider(Protocol):
    """Takes money and gives it back. A key has one effect, however often it is used; the answer stays the same.

    Every method raises `OutcomeUnknown` when there was no clear answer, and `ProviderRefused` when the provider does
    not accept the shop itself.
    """

    async def charge(self, request: ChargeRequest) -> Charge | Decline:
        """Take money."""
        ...

    async def refund(self, request: RefundRequest) -> Refund:
        """Give back all of a charge."""
        ...

    async def charges(self, after: str = "") -> tuple[Listed, ...]:
        """List what was charged, oldest first; only what came after the charge `after`, where one is named."""
        ...
