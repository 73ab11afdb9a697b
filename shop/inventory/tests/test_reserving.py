from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shop.inventory import reserving
from shop.inventory.contract import StockRejected, StockReserved
from shop.inventory.delivery import opening
from shop.inventory.ledger import BroughtForward, Corrected, Received, Shelf
from shop.inventory.records import Reservation, Wanted
from shop.inventory.reserving import Outcome, Shelves

SKUS = ("CAP", "MUG", "PEN")
quantities = st.integers(min_value=1, max_value=4)
orders = st.dictionaries(st.sampled_from(SKUS), quantities, min_size=1)
stocks = st.fixed_dictionaries({sku: st.integers(min_value=0, max_value=6) for sku in SKUS})


def filled(stock: dict[str, int]) -> dict[str, Shelf]:
    return {sku: Shelf(sku=sku).apply(Received(quantity=available)) for sku, available in stock.items()}


def wanted(order: dict[str, int]) -> tuple[Wanted, ...]:
    return tuple(Wanted(sku=sku, quantity=quantity) for sku, quantity in order.items())


class World:
    """A store of shelves and one reservation each for two orders."""

    def __init__(self, stock: dict[str, int], orders: tuple[dict[str, int], ...]) -> None:
        self.orders = orders
        self.shelves = filled(stock)
        self.reservations = [Reservation(order_id=str(n)) for n in range(len(orders))]
        self.announced: Counter[str] = Counter()

    def hear(self, order: int, fact: str) -> None:
        known = self.reservations[order]
        if fact in ("ordered", "paid"):
            noted = reserving.pay(known) if fact == "paid" else reserving.learn(known, wanted(self.orders[order]))
            due = reserving.is_due(noted)
            outcome = reserving.reserve(noted, self.shelves) if due else Outcome(reservation=noted)
        elif fact == "confirmed":
            outcome = reserving.sell(known)
        else:
            outcome = reserving.release(known)
        self.reservations[order] = outcome.reservation
        for sku, move in outcome.moves:
            self.shelves[sku] = self.shelves[sku].apply(move)
        if outcome.announcement is not None:
            self.announced[f"{order} {type(outcome.announcement).__name__}"] += 1


@given(
    stock=stocks,
    pair=st.tuples(orders, orders),
    facts=st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=1),
            st.sampled_from(["ordered", "paid", "confirmed", "cancelled"]),
        ),
        max_size=16,
    ),
)
def test_no_piece_is_lost_or_made_whatever_is_heard_how_often(
    stock: dict[str, int], pair: tuple[dict[str, int], dict[str, int]], facts: list[tuple[int, str]]
) -> None:
    world = World(stock, pair)
    for order, fact in facts:
        world.hear(order, fact)
        laid_ready: Counter[str] = Counter()
        for reservation in world.reservations:
            if reservation.stage == "RESERVED":
                laid_ready.update({w.sku: w.quantity for w in reservation.wanted})
        for sku, shelf in world.shelves.items():
            assert shelf.received == stock[sku] == shelf.available + shelf.reserved + shelf.sold
            assert min(shelf.available, shelf.reserved, shelf.sold) >= 0
            assert shelf.reserved == laid_ready[sku]
    assert all(times == 1 for times in world.announced.values())


@given(stock=stocks, order=orders, facts=st.permutations(["ordered", "paid", "ordered", "paid"]))
def test_the_order_in_which_it_is_heard_makes_no_difference(
    stock: dict[str, int], order: dict[str, int], facts: list[str]
) -> None:
    world = World(stock, (order,))
    for fact in facts:
        world.hear(0, fact)
    enough = all(stock[sku] >= quantity for sku, quantity in order.items())
    assert world.reservations[0].stage == ("RESERVED" if enough else "REJECTED")


def test_all_lines_are_taken_or_none() -> None:
    shelves: Shelves = filled({"CAP": 5, "MUG": 1})
    due = Reservation(order_id="1", wanted=wanted({"CAP": 2, "MUG": 2, "PEN": 1}), paid=True)
    outcome = reserving.reserve(due, shelves)
    assert outcome.moves == ()
    assert isinstance(outcome.announcement, StockRejected)
    assert {(s.sku, s.wanted, s.available) for s in outcome.announcement.shortages} == {
        ("MUG", 2, 1),
        ("PEN", 1, 0),
    }


def test_a_rejected_order_stays_rejected_when_the_shelf_fills_again() -> None:
    due = Reservation(order_id="1", wanted=wanted({"MUG": 2}), paid=True)
    rejected = reserving.reserve(due, filled({"MUG": 1})).reservation
    assert not reserving.is_due(reserving.pay(rejected))


def test_a_cancelled_order_takes_nothing_when_its_payment_is_heard_late() -> None:
    released = reserving.release(Reservation(order_id="1")).reservation
    assert not reserving.is_due(reserving.pay(reserving.learn(released, wanted({"MUG": 1}))))


def test_what_is_counted_keeps_the_balance() -> None:
    shelves = filled({"MUG": 5})
    reserved = reserving.reserve(Reservation(order_id="1", wanted=wanted({"MUG": 2}), paid=True), shelves)
    assert isinstance(reserved.announcement, StockReserved)
    counted = shelves["MUG"].apply(reserved.moves[0][1]).apply(Corrected(available=10))
    assert counted == Shelf(sku="MUG", received=12, available=10, reserved=2, sold=0)


def test_a_balance_from_before_the_ledger_is_brought_forward() -> None:
    carried = Shelf(sku="MUG").apply(BroughtForward(available=4, reserved=1, sold=2))
    assert carried == Shelf(sku="MUG", received=7, available=4, reserved=1, sold=2)


def test_the_first_delivery_fills_every_shelf_but_one() -> None:
    assert [item.sku for item in opening() if not item.quantity] == ["BOK-0121"]
