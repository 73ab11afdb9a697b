"""The shelves: what is there, what lies ready for an order, and what is sold."""

from collections.abc import Callable
from typing import Annotated

import msgspec

from shoal import Postgres, Service, Transaction, Unavailable, anyone, role
from shop.inventory import reserving
from shop.inventory.contract import InventoryApi, Parcel, StockRejected, StockReserved
from shop.inventory.delivery import opening
from shop.inventory.records import Reservation, Shelf, Wanted
from shop.inventory.reserving import Outcome, Shelves
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderPlaced
from shop.payments.contract import PaymentCaptured
from shop.products.contract import ProductListed

inventory = Service(
    "inventory",
    summary="What lies on the shelves, and for whom.",
    store=Postgres(),
    publishes=[StockReserved, StockRejected],
    contracts=[InventoryApi],
)


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted on a shelf."""

    available: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


@inventory.seed("first-delivery")
async def seed_shelves(tx: Transaction) -> None:
    """Fill the shelves of the products that the shop opens with."""
    for shelf in opening():
        tx.insert(shelf)


@inventory.get("/stock/{sku}", access=anyone)
async def stock(sku: str, tx: Transaction) -> Shelf:
    """Show what there is of a product."""
    return await tx.require(Shelf, sku)


@inventory.put("/stock/{sku}", access=role("admin"))
async def count_stock(sku: str, body: Count, tx: Transaction) -> Shelf:
    """Correct a shelf to what was counted on it."""
    shelf = await tx.require(Shelf, sku, lock=True)
    counted = reserving.take_stock(shelf, body.available)
    tx.put(counted)
    return counted


@inventory.on(ProductListed, leads_to=[])
async def make_room(event: ProductListed, tx: Transaction) -> None:
    """Give a new product an empty shelf."""
    if await tx.get(Shelf, event.sku) is None:
        tx.insert(Shelf(sku=event.sku))


@inventory.on(OrderPlaced, leads_to=[StockReserved, StockRejected])
async def learn_order(event: OrderPlaced, tx: Transaction) -> None:
    """Note what is ordered, and lay it ready if it is paid for already."""
    wanted = [Wanted(sku=line.sku, quantity=line.quantity) for line in event.lines]
    await _hear(event.order_id, tx, lambda known: reserving.learn(known, wanted))


@inventory.on(PaymentCaptured, leads_to=[StockReserved, StockRejected])
async def reserve_paid(event: PaymentCaptured, tx: Transaction) -> None:
    """Lay ready what is paid for, if the order is known already."""
    await _hear(event.order_id, tx, reserving.pay)


@inventory.on(OrderConfirmed, leads_to=[])
async def sell_confirmed(event: OrderConfirmed, tx: Transaction) -> None:
    """Hand over what lies ready."""
    await _finish(event.order_id, tx, reserving.sell)


@inventory.on(OrderCancelled, leads_to=[])
async def release_cancelled(event: OrderCancelled, tx: Transaction) -> None:
    """Put back what lies ready."""
    await _finish(event.order_id, tx, reserving.release)


@inventory.implements(InventoryApi.take_back)
async def take_back(parcel: Parcel, tx: Transaction) -> None:
    """Put returned goods back on the shelf. That they were sold may be heard of later than that they come back."""
    known = await tx.get(Reservation, parcel.order_id)
    if known is None or known.stage in ("AWAITED", "RESERVED"):
        raise Unavailable(f"the goods of order {parcel.order_id} are not known to be sold yet")
    await _finish(parcel.order_id, tx, reserving.take_back)


async def _hear(order_id: str, tx: Transaction, note: Callable[[Reservation], Reservation]) -> None:
    known = await tx.get(Reservation, order_id, lock=True)
    noted = note(known or Reservation(order_id=order_id))
    if reserving.is_due(noted):
        _keep(known, reserving.reserve(noted, await _shelves(noted, tx)), tx)
    else:
        _keep(known, Outcome(reservation=noted), tx)


async def _finish(order_id: str, tx: Transaction, end: Callable[[Reservation, Shelves], Outcome]) -> None:
    known = await tx.get(Reservation, order_id, lock=True)
    reservation = known or Reservation(order_id=order_id)
    _keep(known, end(reservation, await _shelves(reservation, tx)), tx)


async def _shelves(reservation: Reservation, tx: Transaction) -> Shelves:
    """Hold the shelves of an order; the store takes them in the order of their SKU, so that no two orders block."""
    if not reservation.wanted:
        return {}
    skus = tuple(wanted.sku for wanted in reservation.wanted)
    return {shelf.sku: shelf for shelf in await tx.find(Shelf, {"sku": skus}, order=("sku",), lock=True)}


def _keep(known: Reservation | None, outcome: Outcome, tx: Transaction) -> None:
    """Store what changed. A first row is inserted, so that of two first events at once one waits and tries again."""
    if known is None:
        tx.insert(outcome.reservation)
    elif outcome.reservation != known:
        tx.put(outcome.reservation)
    for shelf in outcome.shelves:
        tx.put(shelf)
    if outcome.announcement is not None:
        tx.publish(outcome.announcement)
