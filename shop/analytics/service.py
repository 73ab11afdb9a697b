"""What the shop's events say about its business: facts in a warehouse, and four reports."""

from datetime import UTC, date, datetime, timedelta

from shoal import (
    S3,
    BigQuery,
    Clock,
    Objective,
    Objects,
    Postgres,
    Problem,
    Reports,
    Service,
    Transaction,
    Warehouse,
    role,
)
from shop.analytics.exporting import CSV, HOUR, Export, Exported, table
from shop.analytics.facts import STEPS, FailedPayment, Milestone, Sale
from shop.analytics.reports import FailedPaymentsOfDay, RevenueOfDay, StepOfFunnel, TopProduct
from shop.inventory.contract import StockRejected, StockReserved
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderPlaced, OrderReturned
from shop.payments.contract import PaymentCaptured, PaymentDeclined, PaymentRefunded
from shop.users.contract import UserErased, UserSignedUp

STAFF = role("admin")

analytics = Service(
    "analytics",
    summary="What the shop's events say about its business.",
    store=Postgres(migrations="", why="holds facts only until the warehouse has them"),
    warehouse=BigQuery(
        tables=[Milestone, Sale, FailedPayment],
        reports=[RevenueOfDay, StepOfFunnel, TopProduct, FailedPaymentsOfDay],
        why="reports read one column of many facts, and nobody changes a fact",
    ),
    objects=S3(kinds=[Export], why="a file is fetched once, by who asked for it, and may be large"),
    objectives=[Objective(availability=0.99)],
)


@analytics.get("/reports/revenue", access=STAFF)
async def revenue_per_day(reports: Reports, since: date | None = None, until: date | None = None) -> list[RevenueOfDay]:
    """Add up what was confirmed, by day (UTC) and currency, the latest day first."""
    begin, end = _period(since, until)
    return await reports.read(RevenueOfDay, since=begin, until=end)


@analytics.post("/reports/revenue/exports", status=201, access=STAFF)
async def export_revenue(
    reports: Reports, exports: Objects[Export], clock: Clock, since: date | None = None, until: date | None = None
) -> Exported:
    """Write the revenue of each day as a file, and say where it is to be fetched for the next hour."""
    begin, end = _period(since, until)
    stored = await exports.put(table(await reports.read(RevenueOfDay, since=begin, until=end)), type=CSV)
    exports.delete(stored.name, linger=HOUR)
    url = await exports.url(stored.name, seconds=HOUR, download="revenue.csv")
    return Exported(url=url, expires_at=clock.now() + timedelta(seconds=HOUR))


@analytics.get("/reports/funnel", access=STAFF)
async def funnel(reports: Reports, since: date | None = None, until: date | None = None) -> list[StepOfFunnel]:
    """Count how many signed up, placed an order, paid, and so on."""
    begin, end = _period(since, until)
    return sorted(await reports.read(StepOfFunnel, since=begin, until=end), key=lambda row: STEPS.index(row.step))


@analytics.get("/reports/top-products", access=STAFF)
async def top_products(
    reports: Reports, since: date | None = None, until: date | None = None, limit: int = 10
) -> list[TopProduct]:
    """List the products that brought in most."""
    begin, end = _period(since, until)
    return await reports.read(TopProduct, since=begin, until=end, limit=limit)


@analytics.get("/reports/failed-payments", access=STAFF)
async def failed_payments(
    reports: Reports, since: date | None = None, until: date | None = None
) -> list[FailedPaymentsOfDay]:
    """Count the cards that were not charged, by day (UTC) and reason."""
    begin, end = _period(since, until)
    return await reports.read(FailedPaymentsOfDay, since=begin, until=end)


def _period(since: date | None, until: date | None) -> tuple[datetime | None, datetime | None]:
    """Turn days, the last one included, into moments."""
    if since is not None and until is not None and since > until:
        raise Problem(422, "no-period", f"{since} is after {until}")
    try:
        last = None if until is None else until + timedelta(days=1)
    except OverflowError:
        last = None
    return _midnight(since), _midnight(last)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


@analytics.on(UserSignedUp)
async def signed_up(event: UserSignedUp, facts: Warehouse) -> None:
    """Note that somebody has an account."""
    facts.append(Milestone(step="signed-up", order_id="", at=event.signed_up_at))


@analytics.on(UserErased, leads_to=[])
async def forget(event: UserErased, tx: Transaction) -> None:
    """Forget the keys that somebody's events were read with; facts say nothing of a person."""
    await tx.forget(event.user_id)


@analytics.on(OrderPlaced)
async def placed(event: OrderPlaced, facts: Warehouse) -> None:
    """Note that somebody ordered something."""
    facts.append(
        Milestone(
            step="placed", order_id=event.order_id, amount=event.total, currency=event.currency, at=event.placed_at
        )
    )


@analytics.on(OrderConfirmed)
async def confirmed(event: OrderConfirmed, facts: Warehouse) -> None:
    """Note that an order is paid for and lies ready; each line is a sale."""
    facts.append(
        Milestone(
            step="confirmed",
            order_id=event.order_id,
            amount=event.total,
            currency=event.currency,
            at=event.confirmed_at,
        )
    )
    for line in event.lines:
        facts.append(
            Sale(
                order_id=event.order_id,
                sku=line.sku,
                name=line.name,
                quantity=line.quantity,
                amount=line.quantity * line.unit_amount,
                currency=event.currency,
                at=event.confirmed_at,
            )
        )


@analytics.on(OrderCancelled)
async def cancelled(event: OrderCancelled, facts: Warehouse) -> None:
    """Note that an order will not be delivered."""
    facts.append(
        Milestone(
            step="cancelled",
            order_id=event.order_id,
            amount=event.total,
            currency=event.currency,
            at=event.cancelled_at,
        )
    )


@analytics.on(OrderReturned)
async def returned(event: OrderReturned, facts: Warehouse) -> None:
    """Note that the goods came back."""
    facts.append(
        Milestone(
            step="returned", order_id=event.order_id, amount=event.total, currency=event.currency, at=event.returned_at
        )
    )


@analytics.on(StockReserved)
async def reserved(event: StockReserved, facts: Warehouse, clock: Clock) -> None:
    """Note that the goods lie ready; the event says no time, so that of hearing it counts."""
    facts.append(Milestone(step="reserved", order_id=event.order_id, at=clock.now()))


@analytics.on(StockRejected)
async def short(event: StockRejected, facts: Warehouse, clock: Clock) -> None:
    """Note that the goods were sold out."""
    facts.append(Milestone(step="short", order_id=event.order_id, at=clock.now()))


@analytics.on(PaymentCaptured)
async def paid(event: PaymentCaptured, facts: Warehouse, clock: Clock) -> None:
    """Note that the money is ours."""
    facts.append(
        Milestone(step="paid", order_id=event.order_id, amount=event.amount, currency=event.currency, at=clock.now())
    )


@analytics.on(PaymentDeclined)
async def declined(event: PaymentDeclined, facts: Warehouse, clock: Clock) -> None:
    """Note that a card was not charged."""
    facts.append(Milestone(step="declined", order_id=event.order_id, at=clock.now()))
    facts.append(FailedPayment(order_id=event.order_id, reason=event.reason, at=clock.now()))


@analytics.on(PaymentRefunded)
async def refunded(event: PaymentRefunded, facts: Warehouse, clock: Clock) -> None:
    """Note that the money went back."""
    facts.append(
        Milestone(
            step="refunded", order_id=event.order_id, amount=event.amount, currency=event.currency, at=clock.now()
        )
    )
