"""The shelves: what is there, what lies ready for an order, and what is sold."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec

from shoal import (
    Objective,
    Postgres,
    Problem,
    Recorded,
    Service,
    Socket,
    Transact,
    Transaction,
    Unavailable,
    anyone,
    fallbacks,
    role,
)
from shop.inventory import reserving
from shop.inventory.contract import (
    AvailabilityChanged,
    InventoryApi,
    Level,
    Parcel,
    StockApi,
    StockRejected,
    StockReserved,
)
from shop.inventory.delivery import opening
from shop.inventory.labels import Label, Reading, Scan, label
from shop.inventory.ledger import BroughtForward, Corrected, Move, Received, Shelf
from shop.inventory.records import Balance, Reservation, Wanted
from shop.inventory.reserving import Outcome, Shelves
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderPlaced
from shop.payments.contract import PaymentCaptured
from shop.products.contract import Price, ProductListed, ProductsApi

inventory = Service(
    "inventory",
    summary="What lies on the shelves, and for whom.",
    store=Postgres(why="shelves of several products change together, or none does"),
    publishes=[StockReserved, StockRejected, AvailabilityChanged],
    contracts=[InventoryApi, StockApi],
    objectives=[Objective(availability=0.999)],
)


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted on a shelf."""

    available: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a shelf's ledger."""

    version: int
    at: datetime
    move: str
    """What happened: ``received``, ``reserved``, ``sold`` ..."""
    quantity: int
    """How many pieces it was about."""
    order_id: str | None = None
    """For which order, where there was one."""


@inventory.seed("first-delivery")
async def seed_shelves(tx: Transaction) -> None:
    """Fill the shelves of the products that the shop opens with."""
    for item in opening():
        tx.append(Shelf(sku=item.sku), Received(quantity=item.quantity))


@inventory.seed("stock-ledger")
async def begin_ledger(tx: Transaction) -> None:
    """Bring forward the balances of a shop that kept no ledger; one that is new has none."""
    for old in await tx.find(Balance):
        moved = BroughtForward(available=old.available, reserved=old.reserved, sold=old.sold)
        tx.append(Shelf(sku=old.sku), moved)


@inventory.seed("availability")
async def announce_shelves(tx: Transaction) -> None:
    """Tell what is sold out; everything else is taken to be there."""
    for sku, shelf in (await tx.load_all(Shelf, [item.sku for item in opening()])).items():
        if not shelf.available:
            tx.publish(AvailabilityChanged(sku=sku, available=False))


@inventory.get("/stock/{sku}", access=anyone)
async def stock(sku: str, tx: Transaction) -> Shelf:
    """Show what there is of a product."""
    return await _shelf(sku, tx)


@inventory.implements(StockApi.levels)
async def levels(skus: list[str], tx: Transaction) -> list[Level]:
    """Tell what lies on shelves; those that do not exist are left out."""
    found = await tx.load_all(Shelf, skus)
    return [Level(sku=sku, available=shelf.available) for sku, shelf in found.items()]


@inventory.fallback(ProductsApi.prices, timeout=0.5, volume_threshold=10, reset_timeout=5, cached=3600)
async def unpriced(skus: list[str]) -> list[Price]:
    """Know no price: a label without one is better than none."""
    return []


# shoal: ignore[SH307] the scanners of a warehouse share one address, and labels are asked for by hand
@inventory.get("/stock/{sku}/label", access=anyone)
async def show_label(sku: str, tx: Transaction, products: ProductsApi) -> Label:
    """Show what the label of a shelf says; while the catalogue is away, with the price of the last hour or without."""
    shelf = await _shelf(sku, tx)
    with fallbacks() as used:
        prices = await products.prices([sku])
    return label(shelf, prices, used)


@inventory.socket("/scanner", access=role("admin"), largest=1024)
async def scan(socket: Socket[Scan, Reading], transact: Transact, products: ProductsApi) -> None:
    """Tell a hand scanner in the warehouse, code by code, what the label of each shelf should say."""
    async for scanned in socket:
        shelf = await transact(partial(_found, scanned.sku))
        with fallbacks() as used:
            prices = await products.prices([scanned.sku]) if shelf else []
        await socket.send(Reading(sku=scanned.sku, label=label(shelf, prices, used) if shelf else None))


@inventory.get("/stock/{sku}/ledger", access=role("admin"))
async def ledger(sku: str, tx: Transaction, after: int = 0) -> list[Entry]:
    """Show what happened to a shelf, a hundred moves at a time, from the first whose version exceeds `after`."""
    return [_entry(recorded) for recorded in await tx.facts(Shelf, sku, above=after)]


@inventory.put("/stock/{sku}", access=role("admin"))
async def count_stock(sku: str, body: Count, tx: Transaction) -> Shelf:
    """Correct a shelf to what was counted on it."""
    shelf = await _shelf(sku, tx, lock=True)
    return _move(shelf, Corrected(available=body.available), tx)


@inventory.on(ProductListed, leads_to=[AvailabilityChanged])
async def make_room(event: ProductListed, tx: Transaction) -> None:
    """Give a new product an empty shelf."""
    if await tx.load(Shelf, event.sku) is None:
        tx.append(Shelf(sku=event.sku), Received(quantity=0))
        tx.publish(AvailabilityChanged(sku=event.sku, available=False))


@inventory.on(OrderPlaced, leads_to=[StockReserved, StockRejected, AvailabilityChanged])
async def learn_order(event: OrderPlaced, tx: Transaction) -> None:
    """Note what is ordered, and lay it ready if it is paid for already."""
    wanted = [Wanted(sku=line.sku, quantity=line.quantity) for line in event.lines]
    await _hear(event.order_id, tx, lambda known: reserving.learn(known, wanted))


@inventory.on(PaymentCaptured, leads_to=[StockReserved, StockRejected, AvailabilityChanged])
async def reserve_paid(event: PaymentCaptured, tx: Transaction) -> None:
    """Lay ready what is paid for, if the order is known already."""
    await _hear(event.order_id, tx, reserving.pay)


@inventory.on(OrderConfirmed, leads_to=[])
async def sell_confirmed(event: OrderConfirmed, tx: Transaction) -> None:
    """Hand over what lies ready."""
    await _finish(event.order_id, tx, reserving.sell)


@inventory.on(OrderCancelled, leads_to=[AvailabilityChanged])
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
        shelves = await _shelves(noted, tx)
        _keep(known, reserving.reserve(noted, shelves), shelves, tx)
    else:
        _keep(known, Outcome(reservation=noted), {}, tx)


async def _finish(order_id: str, tx: Transaction, end: Callable[[Reservation], Outcome]) -> None:
    known = await tx.get(Reservation, order_id, lock=True)
    outcome = end(known or Reservation(order_id=order_id))
    _keep(known, outcome, await _shelves(outcome.reservation, tx) if outcome.moves else {}, tx)


async def _found(sku: str, tx: Transaction) -> Shelf | None:
    return await tx.load(Shelf, sku)


async def _shelf(sku: str, tx: Transaction, *, lock: bool = False) -> Shelf:
    found = await tx.load(Shelf, sku, lock=lock)
    if found is None:
        raise Problem(404, "not-found", f"there is no shelf for {sku}")
    return found


async def _shelves(reservation: Reservation, tx: Transaction) -> Shelves:
    """Hold the shelves of an order: of two orders of one product, the later one waits and sees what is left."""
    return await tx.load_all(Shelf, [wanted.sku for wanted in reservation.wanted], lock=True)


def _keep(known: Reservation | None, outcome: Outcome, shelves: Shelves, tx: Transaction) -> None:
    """Store what changed. A first row is inserted, so that of two first events at once one waits and tries again."""
    if known is None:
        tx.insert(outcome.reservation)
    elif outcome.reservation != known:
        tx.put(outcome.reservation)
    now = dict(shelves)
    for sku, move in outcome.moves:
        now[sku] = _move(now[sku], move, tx)
    if outcome.announcement is not None:
        tx.publish(outcome.announcement)


def _move(shelf: Shelf, move: Move, tx: Transaction) -> Shelf:
    """Note what happens to a shelf; tell others when it takes the last piece, or brings the first."""
    after = tx.append(shelf, move)
    if bool(after.available) != bool(shelf.available):
        tx.publish(AvailabilityChanged(sku=shelf.sku, available=bool(after.available)))
    return after


def _entry(recorded: Recorded[Move]) -> Entry:
    move = recorded.fact
    quantity = move.available if isinstance(move, Corrected | BroughtForward) else move.quantity
    order_id = None if isinstance(move, Corrected | BroughtForward | Received) else move.order_id
    return Entry(version=recorded.version, at=recorded.at, move=_words(move), quantity=quantity, order_id=order_id)


def _words(move: Move) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in type(move).__name__).strip()
