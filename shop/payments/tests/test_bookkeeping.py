from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.orders.contract import OrderPlaced
from shop.payments.bookkeeping import Booking, book_charge, book_refund, charge_for, refund_of, refuse_stale
from shop.payments.contract import PaymentCaptured, PaymentDeclined, PaymentRefunded
from shop.payments.provider import Charge, Decline, ProviderRefused, Refund
from shop.payments.records import Entry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = OrderPlaced(
    order_id="ord_1",
    customer_id="usr_1",
    lines=(),
    total=6980,
    currency="EUR",
    payment_method="tok_visa",
    placed_at=NOW,
)
CAPTURED = book_charge(ORDER, Charge(charge_id="pi_1"), NOW)
REFUNDED = book_refund(CAPTURED.payment, Refund(refund_id="re_1"), NOW)


def balance(booking: Booking, account: str) -> int:
    return sum(entry.amount for entry in booking.entries if entry.account == account)


def test_a_key_belongs_to_one_effect_of_one_order() -> None:
    refund = refund_of(CAPTURED.payment)
    assert refund is not None
    assert charge_for(ORDER).key == charge_for(ORDER).key == "ord_1-charge"
    assert (refund.key, refund.charge_id) == ("ord_1-refund", "pi_1")


def test_an_order_is_not_charged_after_its_key_may_be_forgotten() -> None:
    refuse_stale(ORDER, NOW + timedelta(hours=22))
    with pytest.raises(ProviderRefused, match="ord_1"):
        refuse_stale(ORDER, NOW + timedelta(hours=24))


def test_a_charge_is_booked_on_both_sides() -> None:
    assert CAPTURED.payment.status == "CAPTURED"
    assert (balance(CAPTURED, "provider"), balance(CAPTURED, "sales")) == (6980, -6980)
    assert isinstance(CAPTURED.news, PaymentCaptured)


def test_a_decline_moves_no_money() -> None:
    declined = book_charge(ORDER, Decline(reason="insufficient_funds"), NOW)
    assert declined.entries == ()
    assert isinstance(declined.news, PaymentDeclined)
    assert refund_of(declined.payment) is None


def test_a_refund_is_the_opposite_of_its_charge() -> None:
    assert isinstance(REFUNDED.news, PaymentRefunded)
    assert balance(CAPTURED, "provider") + balance(REFUNDED, "provider") == 0
    assert refund_of(REFUNDED.payment) is None, "money goes back once"
    assert not {e.entry_id for e in CAPTURED.entries} & {e.entry_id for e in REFUNDED.entries}


@given(st.lists(st.integers(min_value=1, max_value=99_999_999)))
def test_the_books_always_sum_to_nothing(totals: list[int]) -> None:
    entries: list[Entry] = []
    for number, total in enumerate(totals):
        order = OrderPlaced(
            order_id=f"ord_{number}",
            customer_id="usr_1",
            lines=(),
            total=total,
            currency="EUR",
            payment_method="tok_visa",
            placed_at=NOW,
        )
        booked = book_charge(order, Charge(charge_id=f"pi_{number}"), NOW)
        entries += booked.entries
        if number % 2:
            entries += book_refund(booked.payment, Refund(refund_id=f"re_{number}"), NOW).entries
    assert sum(entry.amount for entry in entries) == 0
    kept = sum(totals[::2])
    assert sum(entry.amount for entry in entries if entry.account == "provider") == kept
