"""The life of an order, pure.

An order's status is a function of the *set* of facts reported about it. So facts may come in any order, late and
more than once, and it ends the same::

    PENDING ──captured──► PAID ──reserved──► CONFIRMED
       │                   │
       └──declined──┐      └──refunded (nothing could be reserved)──┐
                    └──────────────► CANCELLED ◄────────────────────┘
"""

from datetime import datetime

import msgspec

from shop.orders.contract import OrderCancelled, OrderConfirmed
from shop.orders.records import Fact, Order, Reason, Status

_CANCELS: dict[Fact, Reason] = {"DECLINED": "payment-declined", "REFUNDED": "out-of-stock"}


def status_of(facts: frozenset[Fact]) -> Status:
    """Tell where an order stands after these facts."""
    if facts & _CANCELS.keys():
        return "CANCELLED"
    if facts >= {"CAPTURED", "RESERVED"}:
        return "CONFIRMED"
    return "PAID" if "CAPTURED" in facts else "PENDING"


def reason_of(facts: frozenset[Fact]) -> Reason | None:
    """Tell why an order with these facts is cancelled, if it is."""
    return next((reason for fact, reason in _CANCELS.items() if fact in facts), None)


def learn(order: Order, fact: Fact, now: datetime) -> Order:
    """Return the order that knows one fact more, or the same order when it knew it."""
    if fact in order.facts:
        return order
    facts = frozenset((*order.facts, fact))
    return msgspec.structs.replace(
        order,
        facts=tuple(sorted(facts)),
        status=status_of(facts),
        reason=reason_of(facts),
        version=order.version + 1,
        updated_at=now,
    )


def announcement(before: Order, after: Order) -> OrderConfirmed | OrderCancelled | None:
    """Say what others must hear about a change."""
    if before.status == after.status:
        return None
    if after.status == "CONFIRMED":
        return OrderConfirmed(
            order_id=after.order_id,
            customer_id=after.customer_id,
            lines=after.lines,
            total=after.total,
            currency=after.currency,
            confirmed_at=after.updated_at,
        )
    if after.status == "CANCELLED" and after.reason is not None:
        return OrderCancelled(
            order_id=after.order_id,
            customer_id=after.customer_id,
            reason=after.reason,
            total=after.total,
            currency=after.currency,
            cancelled_at=after.updated_at,
        )
    return None
