"""The life of an order, pure.

An order's status is a function of the *set* of facts reported about it. So facts may come in any order, late and
more than once, and it ends the same::

    PENDING ──captured──► PAID ──reserved──► CONFIRMED ──opened──► RETURNING ──returned──► RETURNED
       │                   │                     ▲                     │
       │                   │                     └───────refused───────┘
       └──declined──┐      └──refunded (nothing could be reserved)──┐
                    └──────────────► CANCELLED ◄────────────────────┘
"""

from datetime import datetime, timedelta

import msgspec

from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderReturned
from shop.orders.records import Fact, Order, Reason, Status

RETURN_PERIOD = timedelta(days=30)
"""How long a customer may give goods back."""

_CANCELS: dict[Fact, Reason] = {"DECLINED": "payment-declined", "REFUNDED": "out-of-stock"}


def status_of(facts: frozenset[Fact]) -> Status:
    """Tell where an order stands after these facts."""
    if facts & _CANCELS.keys():
        return "CANCELLED"
    if facts >= {"CAPTURED", "RESERVED"}:
        return _after_confirmation(facts)
    return "PAID" if "CAPTURED" in facts else "PENDING"


def _after_confirmation(facts: frozenset[Fact]) -> Status:
    if "RETURNED" in facts:
        return "RETURNED"
    return "RETURNING" if "RETURN_OPENED" in facts and "RETURN_REFUSED" not in facts else "CONFIRMED"


def why_not_returned(order: Order, now: datetime) -> str:
    """Say why the goods of an order cannot be given back; empty when they can."""
    if order.status != "CONFIRMED":
        return f"it is {order.status}"
    if "RETURN_REFUSED" in order.facts:
        return "its return was refused"
    return "" if now - order.placed_at <= RETURN_PERIOD else f"it was placed more than {RETURN_PERIOD.days} days ago"


def reason_of(facts: frozenset[Fact]) -> Reason | None:
    """Tell why an order with these facts is cancelled, if it is."""
    return next((reason for fact, reason in _CANCELS.items() if fact in facts), None)


def learn(order: Order, fact: Fact, now: datetime) -> Order:
    """Return the order that knows one fact more, or the same order when it knew it."""
    if fact in order.facts:
        return order
    facts = frozenset((*order.facts, fact))
    status = status_of(facts)
    return msgspec.structs.replace(
        order,
        facts=tuple(sorted(facts)),
        status=status,
        reason=reason_of(facts),
        version=order.version + 1,
        announced=order.announced + is_news(order.status, status),
        updated_at=now,
    )


def is_news(before: Status, after: Status) -> bool:
    """Tell whether others hear of a change; that a return was refused is between the customer and us."""
    if before == after or (before, after) == ("RETURNING", "CONFIRMED"):
        return False
    return after in ("CONFIRMED", "CANCELLED", "RETURNED")


def announcement(before: Order, after: Order) -> OrderConfirmed | OrderCancelled | OrderReturned | None:
    """Say what others must hear about a change."""
    if not is_news(before.status, after.status):
        return None
    if after.status == "RETURNED":
        return OrderReturned(
            order_id=after.order_id,
            number=after.announced,
            customer_id=after.customer_id,
            total=after.total,
            currency=after.currency,
            returned_at=after.updated_at,
        )
    if after.status == "CONFIRMED":
        return OrderConfirmed(
            order_id=after.order_id,
            number=after.announced,
            customer_id=after.customer_id,
            lines=after.lines,
            total=after.total,
            currency=after.currency,
            confirmed_at=after.updated_at,
        )
    if after.status == "CANCELLED" and after.reason is not None:
        return OrderCancelled(
            order_id=after.order_id,
            number=after.announced,
            customer_id=after.customer_id,
            reason=after.reason,
            total=after.total,
            currency=after.currency,
            cancelled_at=after.updated_at,
        )
    return None
