"""How pieces move between shelves and orders: pure, and indifferent to order and repetition of what it is told.

An order's pieces are laid ready once the order is known *and* paid for, whichever is heard first: all of them,
or none.
"""

from collections.abc import Iterable, Mapping

import msgspec

from shop.inventory.contract import Shortage, StockRejected, StockReserved
from shop.inventory.ledger import Released, Reserved, Returned, Shelf, Sold
from shop.inventory.records import Reservation, Stage, Wanted

Shelves = Mapping[str, Shelf]
"""By SKU."""

OrderMove = Reserved | Sold | Released | Returned


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What changed."""

    reservation: Reservation
    moves: tuple[tuple[str, OrderMove], ...] = ()
    """By SKU, what happened to its shelf."""
    announcement: StockReserved | StockRejected | None = None


def learn(reservation: Reservation, wanted: Iterable[Wanted]) -> Reservation:
    """Note what is ordered."""
    return msgspec.structs.replace(reservation, wanted=tuple(wanted))


def pay(reservation: Reservation) -> Reservation:
    """Note that it is paid for."""
    return msgspec.structs.replace(reservation, paid=True)


def is_due(reservation: Reservation) -> bool:
    """Tell whether the pieces are to be laid ready now."""
    return reservation.stage == "AWAITED" and reservation.paid and bool(reservation.wanted)


def reserve(reservation: Reservation, shelves: Shelves) -> Outcome:
    """Lay all pieces ready, or none."""
    order_id = reservation.order_id
    if missing := shortages(reservation.wanted, shelves):
        rejection = StockRejected(order_id=order_id, shortages=missing)
        return Outcome(reservation=_staged(reservation, "REJECTED"), announcement=rejection)
    return Outcome(
        reservation=_staged(reservation, "RESERVED"),
        moves=_each(reservation, Reserved),
        announcement=StockReserved(order_id=order_id),
    )


def sell(reservation: Reservation) -> Outcome:
    """Hand the pieces over; what does not lie ready stays as it is."""
    if reservation.stage != "RESERVED":
        return Outcome(reservation=reservation)
    return Outcome(reservation=_staged(reservation, "SOLD"), moves=_each(reservation, Sold))


def release(reservation: Reservation) -> Outcome:
    """Give up a reservation: its pieces go back on the shelf, and it will not be made later."""
    if reservation.stage == "AWAITED":
        return Outcome(reservation=_staged(reservation, "RELEASED"))
    if reservation.stage != "RESERVED":
        return Outcome(reservation=reservation)
    return Outcome(reservation=_staged(reservation, "RELEASED"), moves=_each(reservation, Released))


def take_back(reservation: Reservation) -> Outcome:
    """Put what was handed over back on the shelf; anything else stays as it is."""
    if reservation.stage != "SOLD":
        return Outcome(reservation=reservation)
    return Outcome(reservation=_staged(reservation, "RETURNED"), moves=_each(reservation, Returned))


def shortages(wanted: Iterable[Wanted], shelves: Shelves) -> tuple[Shortage, ...]:
    """List what is missing; a product without a shelf is missing altogether."""
    found = (
        Shortage(sku=w.sku, wanted=w.quantity, available=shelves[w.sku].available if w.sku in shelves else 0)
        for w in wanted
    )
    return tuple(shortage for shortage in found if shortage.available < shortage.wanted)


def _staged(reservation: Reservation, stage: Stage) -> Reservation:
    return msgspec.structs.replace(reservation, stage=stage)


def _each(reservation: Reservation, kind: type[OrderMove]) -> tuple[tuple[str, OrderMove], ...]:
    return tuple((w.sku, kind(order_id=reservation.order_id, quantity=w.quantity)) for w in reservation.wanted)
