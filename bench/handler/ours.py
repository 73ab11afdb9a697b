"""The handler, as an author of Shoal writes it."""

from typing import Annotated, Literal

import msgspec

from shoal import Principal, Service, signed_in

baskets = Service("baskets")

Sku = Annotated[str, msgspec.Meta(min_length=3, max_length=32)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=100)]
Cents = Annotated[int, msgspec.Meta(ge=0)]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted."""

    sku: Sku
    quantity: Quantity
    unit_price: Cents


class Basket(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is wanted."""

    currency: Literal["EUR", "GBP", "USD"]
    lines: Annotated[list[Line], msgspec.Meta(min_length=1, max_length=50)]
    note: str = ""


class PricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What it costs."""

    sku: str
    quantity: int
    total: int


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What everything costs."""

    basket: int
    customer: str
    currency: str
    lines: list[PricedLine]
    total: int


@baskets.post("/baskets/{basket}/quote", access=signed_in)
async def quote(basket: int, order: Basket, principal: Principal) -> Quote:
    """Price a basket."""
    priced = [
        PricedLine(sku=line.sku, quantity=line.quantity, total=line.quantity * line.unit_price) for line in order.lines
    ]
    return Quote(
        basket=basket,
        customer=principal.subject,
        currency=order.currency,
        lines=priced,
        total=sum([line.total for line in priced]),
    )
