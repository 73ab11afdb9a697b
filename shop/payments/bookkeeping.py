"""What an answer of the provider means for the books, pure."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from shop.orders.contract import OrderPlaced
from shop.payments.contract import PaymentCaptured, PaymentDeclined, PaymentRefunded
from shop.payments.provider import Charge, ChargeRequest, Decline, ProviderRefused, Refund, RefundRequest
from shop.payments.records import Entry, Payment

KEY_LIFETIME = timedelta(hours=23)
"""How long a key surely works: Stripe may forget keys that are at least 24 hours old."""


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as it is from now on, the money that moved, and the news."""

    payment: Payment
    entries: tuple[Entry, ...] = ()
    news: PaymentCaptured | PaymentDeclined | PaymentRefunded


def charge_for(order: OrderPlaced) -> ChargeRequest:
    """Ask for the money of an order; its number makes the key, so that it is taken once."""
    return ChargeRequest(
        key=f"{order.order_id}-charge",
        order_id=order.order_id,
        amount=order.total,
        currency=order.currency,
        method=order.payment_method,
    )


def refuse_stale(order: OrderPlaced, now: datetime) -> None:
    """Raise `ProviderRefused` for an order whose key may be forgotten, since it could be charged a second time."""
    if now - order.placed_at > KEY_LIFETIME:
        raise ProviderRefused(
            f"order {order.order_id} was placed {now - order.placed_at} ago: its key no longer protects it",
            hint="look for the order's number at the provider, then charge or cancel by hand",
        )


def refund_of(payment: Payment) -> RefundRequest | None:
    """Ask for the money back, if the shop has it."""
    if payment.status != "CAPTURED" or payment.charge_id is None:
        return None
    return RefundRequest(key=f"{payment.order_id}-refund", charge_id=payment.charge_id)


def book_charge(order: OrderPlaced, answer: Charge | Decline, now: datetime) -> Booking:
    """Book the answer to a charge."""
    charge_id = answer.charge_id if isinstance(answer, Charge) else None
    payment = Payment(
        order_id=order.order_id,
        customer_id=order.customer_id,
        amount=order.total,
        currency=order.currency,
        status="CAPTURED" if isinstance(answer, Charge) else "DECLINED",
        charge_id=charge_id,
        reason=answer.reason if isinstance(answer, Decline) else None,
        updated_at=now,
    )
    if isinstance(answer, Decline):
        return Booking(payment=payment, news=PaymentDeclined(order_id=order.order_id, reason=answer.reason))
    captured = PaymentCaptured(
        order_id=order.order_id, charge_id=answer.charge_id, amount=order.total, currency=order.currency
    )
    return Booking(payment=payment, entries=_entries(payment, "capture", payment.amount), news=captured)


def book_refund(payment: Payment, answer: Refund, now: datetime) -> Booking:
    """Book the answer to a refund."""
    after = msgspec.structs.replace(payment, status="REFUNDED", refund_id=answer.refund_id, updated_at=now)
    refunded = PaymentRefunded(
        order_id=payment.order_id,
        refund_id=answer.refund_id,
        amount=payment.amount,
        currency=payment.currency,
    )
    return Booking(payment=after, entries=_entries(after, "refund", -payment.amount), news=refunded)


def _entries(payment: Payment, kind: Literal["capture", "refund"], amount: int) -> tuple[Entry, Entry]:
    """Book an amount from sales to the provider. The key of an entry keeps it from being booked twice."""

    def entry(account: Literal["provider", "sales"], signed: int) -> Entry:
        return Entry(
            entry_id=f"{payment.order_id}-{kind}-{account}",
            order_id=payment.order_id,
            account=account,
            amount=signed,
            currency=payment.currency,
            booked_at=payment.updated_at,
        )

    return entry("provider", amount), entry("sales", -amount)
