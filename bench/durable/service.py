"""The command, as an author of Shoal writes it: one row and one event, at most once per ``Idempotency-Key``."""

from secrets import token_hex
from typing import Annotated

import msgspec

from shoal import Postgres, Service, Transaction, anyone, event, record


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    customer: str
    sku: Annotated[str, msgspec.Meta(min_length=3, max_length=32)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=100)]


@record("orders", key="id")
class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept."""

    id: str
    customer: str
    sku: str
    quantity: int
    total: int


@event("orders.placed", key="id")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    """What is announced."""

    id: str
    customer: str
    total: int


orders = Service("orders", store=Postgres(migrations="tables"), publishes=[OrderPlaced])


@orders.post("/orders", access=anyone, status=201, idempotent=True)
async def place(order: NewOrder, tx: Transaction) -> Order:
    """Keep an order and announce it."""
    placed = Order(
        id=token_hex(16),
        customer=order.customer,
        sku=order.sku,
        quantity=order.quantity,
        total=order.quantity * 199,
    )
    tx.insert(placed)
    tx.publish(OrderPlaced(id=placed.id, customer=placed.customer, total=placed.total))
    return placed
