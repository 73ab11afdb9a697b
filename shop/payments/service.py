"""Money: taken when an order is placed, given back when it cannot be delivered."""

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from shoal import (
    Clock,
    Objective,
    Postgres,
    Principal,
    Problem,
    Secret,
    Service,
    Settings,
    ShoalError,
    Tick,
    Trace,
    Transaction,
    role,
)
from shop.inventory.contract import StockRejected
from shop.orders.contract import OrderPlaced
from shop.payments.bookkeeping import Booking, book_charge, book_refund, charge_for, refund_of, refuse_stale
from shop.payments.contract import (
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentsApi,
    RefundAsked,
    Refunded,
)
from shop.payments.provider import PaymentProvider
from shop.payments.reconciling import discrepancies, still
from shop.payments.records import Discrepancy, Payment, Reconciliation, Status
from shop.payments.stripe import StripeProvider, open_http
from shop.payments.traced import TracedProvider


class PaymentsSettings(Settings, frozen=True, kw_only=True):
    """What may be said about the payments service from outside."""

    provider_url: str
    """``https://api.stripe.com``, or the sandbox."""
    # shoal: ignore[SH403] it opens the provider's sandbox, which is everybody's
    provider_key: Secret = Secret("sk_test_sandbox")


PROVIDER = "payment-provider"

payments = Service(
    "payments",
    summary="Money: charges and refunds at the payment provider.",
    store=Postgres(why="double entry: both sides in one transaction, which the database checks, too"),
    publishes=[PaymentCaptured, PaymentDeclined, PaymentRefunded],
    contracts=[PaymentsApi],
    settings=PaymentsSettings,
    externals=[PROVIDER],
    objectives=[Objective(availability=0.999)],
)


class PaymentView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payment as the customer sees it."""

    order_id: str
    status: Status
    amount: int
    currency: str
    reason: str | None = None
    updated_at: datetime


@payments.provide
async def provider(settings: PaymentsSettings, trace: Trace) -> AsyncIterator[PaymentProvider]:
    """Keep the connections to the provider open while the service runs."""
    async with open_http(settings.provider_key) as http:
        yield TracedProvider(StripeProvider(http, settings.provider_url), trace)


@payments.get("/payments/{order_id}")
async def show_payment(order_id: str, principal: Principal, tx: Transaction) -> PaymentView:
    """Show what became of the money for one of the caller's orders."""
    payment = await tx.get(Payment, order_id)
    if payment is None or payment.customer_id != principal.subject:
        raise Problem(404, "not-found", f"there is no payment for order {order_id}")
    return PaymentView(
        order_id=payment.order_id,
        status=payment.status,
        amount=payment.amount,
        currency=payment.currency,
        reason=payment.reason,
        updated_at=payment.updated_at,
    )


@payments.get("/discrepancies", access=role("admin"))
async def open_discrepancies(tx: Transaction) -> list[Discrepancy]:
    """Show the charges of which the provider and the books do not say the same, the oldest first."""
    return await tx.find(Discrepancy, order=["noticed_at"], limit=100)


@payments.every(minutes=10, timeout=120.0)
async def reconcile(tick: Tick, tx: Transaction, port: PaymentProvider, clock: Clock) -> None:
    """Compare what the provider charged since the last time with the books, and look again at what did not agree."""
    last = await tx.get(Reconciliation, PROVIDER)
    listed = await port.charges(after=last.last_charge if last else "")
    # shoal: ignore[SH208] a person looks at each of them, so there are few
    open_ = await tx.find(Discrepancy)
    orders = tuple({charge.order_id for charge in listed} | {known.order_id for known in open_})
    booked = {payment.order_id: payment for payment in await tx.find(Payment, {"order_id": orders})}
    for settled in (known for known in open_ if not still(known, booked.get(known.order_id))):
        tx.delete(Discrepancy, settled.charge_id)
    for found in discrepancies(listed, booked, clock.now()):
        tx.put(found)
    if listed:
        tx.put(Reconciliation(provider=PROVIDER, last_charge=listed[-1].charge_id, at=tick.due))


@payments.on(OrderPlaced, leads_to=[PaymentCaptured, PaymentDeclined])
async def charge(event: OrderPlaced, tx: Transaction, port: PaymentProvider, clock: Clock) -> None:
    """Take the money. It happens before the commit and maybe again, so the key is that of the order."""
    refuse_stale(event, clock.now())
    answer = await port.charge(charge_for(event))
    if await tx.get(Payment, event.order_id) is None:
        _book(book_charge(event, answer, clock.now()), tx)


@payments.on(StockRejected, leads_to=[PaymentRefunded])
async def refund(event: StockRejected, tx: Transaction, port: PaymentProvider, clock: Clock) -> None:
    """Give the money back, once."""
    payment = await tx.get(Payment, event.order_id, lock=True)
    if payment is None:
        raise ShoalError(f"order {event.order_id} has no payment yet", hint="the event is tried again")
    request = refund_of(payment)
    if request is not None:
        _book(book_refund(payment, await port.refund(request), clock.now()), tx)


@payments.implements(PaymentsApi.refund)
async def refund_return(wish: RefundAsked, tx: Transaction, port: PaymentProvider, clock: Clock) -> Refunded:
    """Give the money of returned goods back. Whoever asked tells the others, so no event is announced."""
    payment = await tx.get(Payment, wish.order_id, lock=True)
    request = None if payment is None else refund_of(payment)
    if payment is not None and request is not None:
        booking = book_refund(payment, await port.refund(request), clock.now())
        payment = booking.payment
        tx.put(payment)
        for entry in booking.entries:
            tx.insert(entry)
    if payment is None or payment.refund_id is None:
        raise Problem(409, "not-captured", f"there is no money for order {wish.order_id}")
    return Refunded(
        order_id=payment.order_id,
        refund_id=payment.refund_id,
        amount=payment.amount,
        currency=payment.currency,
    )


def _book(booking: Booking, tx: Transaction) -> None:
    tx.put(booking.payment)
    for entry in booking.entries:
        tx.insert(entry)
    tx.publish(booking.news)
