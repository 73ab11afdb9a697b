"""A customer's past orders and what they sum up to: read models that follow from the orders' events. Pure."""

from datetime import datetime
from typing import Literal

import msgspec

from shoal import record
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderPlaced, OrderReturned

Outcome = Literal["PLACED", "CONFIRMED", "CANCELLED", "RETURNED"]


@record("order_history", key="order_id", indexes=[("customer_id", "placed_at")])
class PastOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order in the history of its customer."""

    order_id: str
    customer_id: str
    outcome: Outcome
    reason: str | None = None
    """Why it was cancelled."""
    pieces: int
    total: int
    """In cents of the currency."""
    currency: str
    placed_at: datetime
    ended_at: datetime | None = None


@record("customer_totals", key="customer_id")
class CustomerTotals(msgspec.Struct, frozen=True, kw_only=True):
    """All orders of one customer in numbers."""

    customer_id: str
    orders: int = 0
    confirmed: int = 0
    """Those that the customer kept."""
    cancelled: int = 0
    returned: int = 0
    spent: dict[str, int] = {}
    """By currency, in cents: what was paid and not given back."""


def begun(event: OrderPlaced) -> PastOrder:
    """Begin the history of an order."""
    return PastOrder(
        order_id=event.order_id,
        customer_id=event.customer_id,
        outcome="PLACED",
        pieces=sum(line.quantity for line in event.lines),
        total=event.total,
        currency=event.currency,
        placed_at=event.placed_at,
    )


def ended(past: PastOrder, event: OrderConfirmed | OrderCancelled | OrderReturned) -> PastOrder:
    """Note how an order ended."""
    if isinstance(event, OrderCancelled):
        return msgspec.structs.replace(past, outcome="CANCELLED", reason=event.reason, ended_at=event.cancelled_at)
    if isinstance(event, OrderReturned):
        return msgspec.structs.replace(past, outcome="RETURNED", ended_at=event.returned_at)
    return msgspec.structs.replace(past, outcome="CONFIRMED", ended_at=event.confirmed_at)


def counted(totals: CustomerTotals, before: PastOrder | None, after: PastOrder) -> CustomerTotals:
    """Count an order as what it has become, and no longer as what it was."""
    spent = dict(totals.spent)
    paid = _is_paid(after) - (before is not None and _is_paid(before))
    if paid:
        spent[after.currency] = spent.get(after.currency, 0) + paid * after.total
    return msgspec.structs.replace(
        totals,
        orders=totals.orders + (before is None),
        confirmed=totals.confirmed + _change(before, after, "CONFIRMED"),
        cancelled=totals.cancelled + _change(before, after, "CANCELLED"),
        returned=totals.returned + _change(before, after, "RETURNED"),
        spent=spent,
    )


def _is_paid(past: PastOrder) -> bool:
    return past.outcome == "CONFIRMED"


def _change(before: PastOrder | None, after: PastOrder, outcome: Outcome) -> int:
    return (after.outcome == outcome) - (before is not None and before.outcome == outcome)
