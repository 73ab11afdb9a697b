"""What the payments service keeps."""

from datetime import datetime
from typing import Literal

import msgspec

from shoal import record

Status = Literal["CAPTURED", "DECLINED", "REFUNDED"]
Account = Literal["provider", "sales"]
"""Money that the provider holds for the shop, and what the shop earned."""


@record("payments", key="order_id")
class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the money for one order."""

    order_id: str
    customer_id: str
    amount: int
    """In cents of the currency."""
    currency: str
    status: Status
    charge_id: str | None = None
    refund_id: str | None = None
    reason: str | None = None
    """The provider's word for why it was declined."""
    updated_at: datetime


@record("ledger", key="entry_id")
class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a booking. The sides of every booking, and so of all, sum to nothing."""

    entry_id: str
    order_id: str
    account: Account
    amount: int
    """In cents of the currency: positive is debit, negative is credit."""
    currency: str
    booked_at: datetime


@record("reconciliations", key="provider")
class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """How far the provider's list was compared with the books."""

    provider: str
    last_charge: str
    at: datetime


@record("discrepancies", key="charge_id")
class Discrepancy(msgspec.Struct, frozen=True, kw_only=True):
    """A charge that the provider has and the books do not have, or have otherwise. Somebody must look at it."""

    charge_id: str
    order_id: str
    """The shop's own number for it, as the provider knows it; empty when it knows none."""
    amount: int
    """In cents of the currency, at the provider."""
    currency: str
    trouble: str
    noticed_at: datetime
