import typing
from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderLine, OrderPlaced, OrderReturned
from shop.orders.history import CustomerTotals, Outcome, PastOrder, begun, counted, ended

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LINES = (OrderLine(sku="KIT-0160", name="Mug", quantity=3, unit_amount=1250),)
PLACED = OrderPlaced(
    order_id="ord_1", customer_id="usr_1", lines=LINES, total=3750, currency="EUR", payment_method="tok_visa",
    placed_at=NOW,
)  # fmt: skip
CONFIRMED = OrderConfirmed(
    order_id="ord_1", number=2, customer_id="usr_1", lines=LINES, total=3750, currency="EUR", confirmed_at=NOW
)
RETURNED = OrderReturned(order_id="ord_1", number=3, customer_id="usr_1", total=3750, currency="EUR", returned_at=NOW)
CANCELLED = OrderCancelled(
    order_id="ord_1", number=2, customer_id="usr_1", reason="out-of-stock", total=3750, currency="EUR",
    cancelled_at=NOW,
)  # fmt: skip


def test_an_order_is_told_from_its_beginning_to_its_end() -> None:
    past = begun(PLACED)
    assert (past.outcome, past.pieces, past.ended_at) == ("PLACED", 3, None)
    kept = ended(past, CONFIRMED)
    assert (kept.outcome, kept.ended_at) == ("CONFIRMED", NOW)
    assert ended(kept, RETURNED).outcome == "RETURNED"
    assert (ended(past, CANCELLED).outcome, ended(past, CANCELLED).reason) == ("CANCELLED", "out-of-stock")


def test_money_counts_while_the_goods_are_kept() -> None:
    past, kept = begun(PLACED), ended(begun(PLACED), CONFIRMED)
    totals = counted(CustomerTotals(customer_id="usr_1"), None, past)
    assert (totals.orders, totals.spent) == (1, {})
    totals = counted(totals, past, kept)
    assert (totals.confirmed, totals.spent) == (1, {"EUR": 3750})
    totals = counted(totals, kept, ended(kept, RETURNED))
    assert (totals.orders, totals.confirmed, totals.returned, totals.spent) == (1, 0, 1, {"EUR": 0})


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(typing.get_args(Outcome)))))
def test_totals_are_those_of_the_orders(changes: list[tuple[int, Outcome]]) -> None:
    totals = CustomerTotals(customer_id="usr_1")
    orders: dict[int, PastOrder] = {}
    for number, outcome in changes:
        after = msgspec.structs.replace(begun(PLACED), outcome=outcome)
        totals = counted(totals, orders.get(number), after)
        orders[number] = after
    outcomes = [order.outcome for order in orders.values()]
    assert totals.orders == len(orders)
    assert totals.confirmed == outcomes.count("CONFIRMED")
    assert totals.cancelled == outcomes.count("CANCELLED")
    assert totals.returned == outcomes.count("RETURNED")
    assert totals.spent.get("EUR", 0) == 3750 * totals.confirmed
