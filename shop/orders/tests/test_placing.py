from datetime import UTC, datetime

import msgspec
import pytest

from shoal import Problem
from shop.orders.messages import NewLine, NewOrder, view
from shop.orders.placing import Placement, pieces, place, placed
from shop.products.contract import Price

MUG = Price(sku="KIT-0160", name="Enamel mug", amount=1250, currency="EUR")
PEN = Price(sku="STA-0120", name="Fountain pen", amount=4900, currency="EUR")
PLACEMENT = Placement(order_id="ord_1", customer_id="usr_1", placed_at=datetime(2026, 1, 1, tzinfo=UTC))


def wish(*lines: tuple[str, int]) -> NewOrder:
    return NewOrder(
        lines=tuple(NewLine(sku=sku, quantity=quantity) for sku, quantity in lines), payment_method="tok_visa"
    )


def test_the_total_is_that_of_all_pieces() -> None:
    order = place(wish(("KIT-0160", 3), ("STA-0120", 1)), [MUG, PEN], PLACEMENT)
    assert order.total == 3 * 1250 + 4900
    assert [(line.sku, line.name, line.quantity, line.unit_amount) for line in order.lines] == [
        ("KIT-0160", "Enamel mug", 3, 1250),
        ("STA-0120", "Fountain pen", 1, 4900),
    ]
    assert placed(order).lines == order.lines


def test_lines_of_one_product_are_added_up() -> None:
    assert pieces(wish(("B", 1), ("A", 2), ("B", 3))) == {"B": 4, "A": 2}


def test_an_unknown_product_is_named() -> None:
    with pytest.raises(Problem) as refusal:
        place(wish(("KIT-0160", 1), ("ZZZ-9999", 1)), [MUG], PLACEMENT)
    assert (refusal.value.status, refusal.value.code) == (422, "unknown-sku")
    assert refusal.value.extra == {"skus": ["ZZZ-9999"]}


def test_an_order_beyond_what_can_be_charged_is_refused() -> None:
    dear = msgspec.structs.replace(MUG, amount=10_000_000)
    with pytest.raises(Problem, match="order-too-large"):
        place(wish(("KIT-0160", 10)), [dear], PLACEMENT)


def test_an_order_has_one_currency() -> None:
    foreign = msgspec.structs.replace(PEN, currency="USD")
    with pytest.raises(Problem, match="mixed-currencies"):
        place(wish(("KIT-0160", 1), ("STA-0120", 1)), [MUG, foreign], PLACEMENT)


def test_the_owner_is_not_shown_the_card() -> None:
    order = place(wish(("KIT-0160", 1)), [MUG], PLACEMENT)
    assert b"tok_visa" not in msgspec.json.encode(view(order))


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": []},
        {"lines": [{"sku": "KIT-0160", "quantity": 0}]},
        {"lines": [{"sku": "KIT-0160", "quantity": 100}]},
        {"lines": [{"sku": "KIT-0160", "quantity": 1.5}]},
        {"lines": [{"sku": "KIT-0160"}] * 51},
        {"payment_method": "4242424242424242"},
        {"payment_method": "tok_"},
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {"lines": [{"sku": "KIT-0160"}], "payment_method": "tok_visa"}
    msgspec.convert(right, NewOrder)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(right | wrong, NewOrder)
