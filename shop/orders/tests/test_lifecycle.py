import typing
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderLine, OrderReturned
from shop.orders.lifecycle import RETURN_PERIOD, announcement, learn, reason_of, status_of, why_not_returned
from shop.orders.records import Fact, Order

PLACED = datetime(2026, 1, 1, tzinfo=UTC)
NEW = Order(
    order_id="ord_1",
    customer_id="usr_1",
    lines=(OrderLine(sku="KIT-0110", name="Skillet", quantity=2, unit_amount=3490),),
    total=6980,
    currency="EUR",
    payment_method="tok_visa",
    placed_at=PLACED,
    updated_at=PLACED,
)
HISTORIES: dict[str, tuple[Fact, ...]] = {
    "confirmed": ("CAPTURED", "RESERVED"),
    "declined": ("DECLINED",),
    "out of stock": ("CAPTURED", "REFUNDED"),
}
ENDS = {
    "confirmed": ("CONFIRMED", None, OrderConfirmed),
    "declined": ("CANCELLED", "payment-declined", OrderCancelled),
    "out of stock": ("CANCELLED", "out-of-stock", OrderCancelled),
}


@st.composite
def heard(draw: st.DrawFn) -> tuple[str, list[Fact]]:
    """Draw a history that can be, as a network may deliver it: shuffled, and with repetitions."""
    name = draw(st.sampled_from(sorted(HISTORIES)))
    facts = HISTORIES[name]
    repeated = draw(st.lists(st.sampled_from(facts), max_size=5))
    return name, draw(st.permutations([*facts, *repeated]))


@given(heard())
def test_an_order_ends_the_same_however_its_facts_arrive(case: tuple[str, list[Fact]]) -> None:
    name, facts = case
    order, announced = NEW, []
    for number, fact in enumerate(facts):
        after = learn(order, fact, PLACED + timedelta(seconds=number))
        if news := announcement(order, after):
            announced.append(type(news))
        order = after
    status, reason, news_type = ENDS[name]
    assert (order.status, order.reason) == (status, reason)
    assert announced == [news_type]
    assert order.version == 1 + len(set(facts))


@given(st.lists(st.sampled_from(["CAPTURED", "DECLINED", "REFUNDED", "RESERVED"])))
def test_even_what_cannot_be_converges(facts: list[Fact]) -> None:
    def after(sequence: list[Fact]) -> Order:
        order = NEW
        for fact in sequence:
            order = learn(order, fact, PLACED)
        return msgspec.structs.replace(order, announced=0)  # what was said on the way differs

    assert after(facts) == after(sorted(facts)) == after(facts + facts)


@given(st.lists(st.sampled_from(typing.get_args(Fact))))
def test_what_is_announced_is_numbered_without_gaps(facts: list[Fact]) -> None:
    order, numbers = NEW, [1]
    for fact in facts:
        after = learn(order, fact, PLACED)
        if (news := announcement(order, after)) is not None:
            numbers.append(news.number)
        order = after
    assert numbers == list(range(1, order.announced + 1))


def test_a_repeated_fact_changes_nothing() -> None:
    paid = learn(NEW, "CAPTURED", PLACED)
    assert learn(paid, "CAPTURED", PLACED + timedelta(days=1)) is paid


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (set(), "PENDING"),
        ({"CAPTURED"}, "PAID"),
        ({"RESERVED"}, "PENDING"),
        ({"CAPTURED", "RESERVED"}, "CONFIRMED"),
        ({"DECLINED"}, "CANCELLED"),
        ({"REFUNDED"}, "CANCELLED"),
    ],
)
def test_the_status_follows_from_the_facts(facts: set[Fact], status: str) -> None:
    assert status_of(frozenset(facts)) == status
    assert (reason_of(frozenset(facts)) is not None) == (status == "CANCELLED")


def test_what_is_announced_carries_what_others_need() -> None:
    paid = learn(NEW, "CAPTURED", PLACED)
    assert announcement(NEW, paid) is None
    confirmed = announcement(paid, learn(paid, "RESERVED", PLACED))
    assert isinstance(confirmed, OrderConfirmed)
    assert (confirmed.lines, confirmed.total) == (NEW.lines, NEW.total)
    cancelled = announcement(NEW, learn(NEW, "DECLINED", PLACED))
    assert isinstance(cancelled, OrderCancelled)
    assert cancelled.reason == "payment-declined"


def test_a_return_ends_or_is_refused_and_is_announced_only_when_it_is_done() -> None:
    order, announced = NEW, []
    for facts in (("CAPTURED", "RESERVED", "RETURN_OPENED", "RETURN_REFUSED"), ("RETURNED",)):
        for fact in facts:
            after = learn(order, fact, PLACED)
            announced.append((after.status, type(announcement(order, after))))
            order = after
    assert announced == [
        ("PAID", type(None)),
        ("CONFIRMED", OrderConfirmed),
        ("RETURNING", type(None)),
        ("CONFIRMED", type(None)),
        ("RETURNED", OrderReturned),
    ]


def test_only_what_is_confirmed_and_young_can_be_returned() -> None:
    order = learn(learn(NEW, "CAPTURED", PLACED), "RESERVED", PLACED)
    assert why_not_returned(NEW, PLACED) == "it is PENDING"
    assert why_not_returned(order, PLACED + RETURN_PERIOD) == ""
    assert "30 days" in why_not_returned(order, PLACED + RETURN_PERIOD + timedelta(seconds=1))
    refused = learn(learn(order, "RETURN_OPENED", PLACED), "RETURN_REFUSED", PLACED)
    assert why_not_returned(refused, PLACED) == "its return was refused"
