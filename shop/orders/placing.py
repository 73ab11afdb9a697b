"""From a wish and the prices to an order, pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from shoal import Problem
from shop.orders.contract import OrderLine, OrderPlaced
from shop.orders.messages import NewOrder
from shop.orders.records import Order
from shop.products.contract import Price

LARGEST_TOTAL = 99_999_999
"""In cents: the payment provider takes eight digits at most."""


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Who orders, when, and under which number."""

    order_id: str
    customer_id: str
    placed_at: datetime


def pieces(wish: NewOrder) -> dict[str, int]:
    """Add up the pieces by product, in the order of the wish."""
    counted: Counter[str] = Counter()
    for line in wish.lines:
        counted[line.sku] += line.quantity
    return dict(counted)


def place(wish: NewOrder, offered: Iterable[Price], placement: Placement) -> Order:
    """Make the order, or raise the `Problem` that keeps it from being made."""
    prices = {price.sku: price for price in offered}
    wanted = pieces(wish)
    _refuse_unknown(wanted, prices)
    lines = tuple(_line(prices[sku], quantity) for sku, quantity in wanted.items())
    return Order(
        order_id=placement.order_id,
        customer_id=placement.customer_id,
        lines=lines,
        total=_total(lines),
        currency=_currency(prices),
        payment_method=wish.payment_method,
        deliver_to=wish.deliver_to,
        placed_at=placement.placed_at,
        updated_at=placement.placed_at,
    )


def placed(order: Order) -> OrderPlaced:
    """Announce an order."""
    return OrderPlaced(
        order_id=order.order_id,
        customer_id=order.customer_id,
        lines=order.lines,
        total=order.total,
        currency=order.currency,
        payment_method=order.payment_method,
        placed_at=order.placed_at,
    )


def _refuse_unknown(wanted: Iterable[str], prices: Mapping[str, Price]) -> None:
    unknown = [sku for sku in wanted if sku not in prices]
    if unknown:
        detail = f"the shop does not sell: {', '.join(unknown)}"
        raise Problem(422, "unknown-sku", detail, extra={"skus": unknown})


def _line(price: Price, quantity: int) -> OrderLine:
    return OrderLine(sku=price.sku, name=price.name, quantity=quantity, unit_amount=price.amount)


def _total(lines: Iterable[OrderLine]) -> int:
    total = sum(line.quantity * line.unit_amount for line in lines)
    if total > LARGEST_TOTAL:
        detail = f"the total of {total} cents is above {LARGEST_TOTAL}; split the order"
        raise Problem(422, "order-too-large", detail)
    return total


def _currency(prices: Mapping[str, Price]) -> str:
    currencies = sorted({price.currency for price in prices.values()})
    if len(currencies) > 1:
        raise Problem(422, "mixed-currencies", f"one order cannot be in {' and '.join(currencies)}")
    return currencies[0]
