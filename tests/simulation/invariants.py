"""What must hold when the simulated shop has come to rest, whatever went wrong before."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeVar

from shoal.drivers.base import Message, Query
from shoal.runtime.envelope import unpack
from shoal.runtime.sagas.instances import ENDED, SAGAS
from shoal.runtime.tables import table_of
from shoal.service import codec
from shoal.testing.simulation.world import World
from tests.simulation import gifts, shop
from tests.simulation.fakes import Books
from tests.simulation.wishes import Wish

T = TypeVar("T")


async def violations(world: World, wishes: Sequence[Wish], books: Books) -> list[str]:
    """Say in sentences what does not hold."""
    orders = await rows(world, "orders", shop.Order)
    carts = await rows(world, "orders", shop.Cart)
    given = await rows(world, "orders", gifts.Given)
    asides = await rows(world, "stock", gifts.Aside)
    return [
        *_wishes(wishes, orders, carts, given),
        *_money(orders, await rows(world, "payments", shop.Payment), books),
        *_stock(orders, await rows(world, "stock", shop.Item), await rows(world, "stock", shop.Reservation), asides),
        *_gifts(given, asides, await rows(world, "payments", gifts.Billed), books),
        *await _order_of_events(world, carts),
        *await _outboxes(world),
        *await _views(world, carts),
        *_dead_letters(world, wishes),
    ]


async def rows(world: World, service: str, kind: type[T]) -> list[T]:
    """Read what a service's database holds, past every fault."""
    mapping = table_of(kind)
    async with world.databases[service].memory.session() as session:
        return [mapping.from_row(row) for row in await session.find(mapping.table, Query())]


def _wishes(
    wishes: Sequence[Wish],
    orders: Sequence[shop.Order],
    carts: Sequence[shop.Cart],
    given: Sequence[gifts.Given],
) -> Iterator[str]:
    """I1, I9: what was acknowledged happened once, what was refused never, the rest at most once."""
    happened = Counter([order.token for order in orders] + [token for cart in carts for token in cart.tokens])
    happened.update(gift.token for gift in given)
    for wish in wishes:
        times = happened.pop(wish.token, 0)
        if times > 1 or (wish.acknowledged and times != 1) or (wish.refused and times):
            yield f"{wish.kind} {wish.token} was answered {wish.answers} and happened {times} times"
    if happened:
        yield f"nobody wanted {dict(happened)}"
    for order in orders:
        if order.state not in ("confirmed", "cancelled"):
            yield f"order {order.token} ended as {order.state}"


def _money(orders: Sequence[shop.Order], payments: Sequence[shop.Payment], books: Books) -> Iterator[str]:
    """I2, I3: the provider has what confirmed orders cost, and the books agree with it."""
    due = {order.id: order.pieces * shop.PRICE for order in orders if order.state == "confirmed"}
    charged = {key: amount for key, amount in books.charged.items() if key not in books.gifts}
    if due != charged:
        yield f"the provider charged {charged}, due is {due}"
    booked = {payment.order_id: payment.amount for payment in payments}
    if booked != charged:
        yield f"the provider charged {charged}, booked is {booked}"


def _stock(
    orders: Sequence[shop.Order],
    items: Sequence[shop.Item],
    reservations: Sequence[shop.Reservation],
    asides: Sequence[gifts.Aside],
) -> Iterator[str]:
    """I4: pieces are conserved, none stay reserved, and those sold are those of confirmed orders."""
    for item in items:
        if item.available + item.reserved + item.sold != shop.STOCK or item.reserved:
            yield f"pieces are not conserved, or stay reserved: {item}"
    sold = sum(item.sold for item in items) - sum(aside.pieces for aside in asides)
    confirmed = {order.id: order.pieces for order in orders if order.state == "confirmed"}
    if sold != sum(confirmed.values()):
        yield f"{sold} pieces are sold, {sum(confirmed.values())} are confirmed"
    ended = {r.order_id: r.pieces for r in reservations if r.state == "sold"}
    if ended != confirmed:
        yield f"sold are {ended}, confirmed are {confirmed}"


def _gifts(
    given: Sequence[gifts.Given], asides: Sequence[gifts.Aside], bills: Sequence[gifts.Billed], books: Books
) -> Iterator[str]:
    """I5: every saga ended, with all of its steps or with all of its compensations."""
    aside, billed = {a.gift: a for a in asides}, {b.gift: b for b in bills}
    for gift in given:
        kept = gift.token in aside and aside[gift.token].state == "aside"
        paid = gift.token in billed and billed[gift.token].state == "paid"
        charged, refunded = gift.token in books.charged, gift.token in books.refunded
        if gift.state == "offered, delivered":
            whole = kept and paid and charged and not refunded
        else:
            whole = gift.state in ("asked", "refused") and not kept and not paid and charged <= refunded
        if not whole:
            yield f"{gift} with {aside.get(gift.token)}, {billed.get(gift.token)}; charged {charged}, repaid {refunded}"


async def under_way(world: World) -> list[object]:
    """List the sagas that have not ended; one that is parked never does."""
    async with world.databases["orders"].memory.session() as session:
        return [row for row in await session.find(SAGAS.table, Query()) if row["status"] not in ENDED]


async def behind(world: World) -> bool:
    """Tell whether the read model has not yet seen every change."""
    changes = sum(cart.version for cart in await rows(world, "orders", shop.Cart))
    return changes > sum(len(view.versions) for view in await rows(world, "payments", shop.View))


async def _order_of_events(world: World, carts: Sequence[shop.Cart]) -> list[str]:
    """I8: every subscriber handled the events of one key once each, in the order of publishing."""
    found = []
    poisoned = {(e.cart, e.version) for e in _announced(world, shop.CartChanged) if e.poison}
    for service in ("stock", "payments"):
        heard = {h.cart: h.versions for h in await rows(world, service, shop.Heard)}
        for cart in carts:
            unheard = poisoned if service == "stock" else set()
            due = tuple(v for v in range(1, cart.version + 1) if (cart.id, v) not in unheard)
            if heard.get(cart.id, ()) != due:
                found.append(f"{service} handled {heard.get(cart.id)} of cart {cart.id}, announced were {due}")
    return found


async def _views(world: World, carts: Sequence[shop.Cart]) -> list[str]:
    """I6: the read model is the fold of its events; and no due time of the schedule came twice."""
    found = []
    views = {view.cart: view.versions for view in await rows(world, "payments", shop.View)}
    due = {cart.id: tuple(range(1, cart.version + 1)) for cart in carts}
    if views != due:
        found.append(f"the read model shows {views}, announced were {due}")
    times = sum(taken.times for taken in await rows(world, "stock", shop.Stocktake))
    if times > world.loop.time() / shop.EVERY + 1:
        found.append(f"stock was taken {times} times in {world.loop.time():.1f} s")
    return found


async def _outboxes(world: World) -> list[str]:
    """I7, I12: nothing is unsent or refused, and the broker holds all that was announced."""
    found = []
    for name, database in world.databases.items():
        backlog = await database.memory.backlog()
        if backlog.count or backlog.refused:
            found.append(f"the outbox of {name} has {backlog}")
        held = Counter(message.id for message in world.broker.log(f"SIM_{name.upper()}"))
        announced = {row.id for row in await database.memory.announced(0, 10_000)}
        if lost := announced - held.keys():
            found.append(f"the broker lacks {len(lost)} of {len(announced)} events of {name}")
        if strange := held.keys() - announced:
            found.append(f"the broker holds {len(strange)} events that {name} never committed")
    return found


def _dead_letters(world: World, wishes: Sequence[Wish]) -> Iterator[str]:
    """I10: dead letters are the planted poison, each once."""
    planted = sorted((e.cart, e.version) for e in _announced(world, shop.CartChanged) if e.poison)
    letters: dict[str, object] = {}
    for service in ("orders", "stock", "payments"):
        for message in world.broker.log(f"SIM_{service.upper()}_DEAD"):
            letters.setdefault(f"{service} {unpack(message).id}", _read(message))
    buried = [(e.cart, e.version) for e in letters.values() if isinstance(e, shop.CartChanged)]
    forgetful = any(fault.back for fault in world.faults.schedule)  # letters lie nowhere but in the broker
    complete = set(buried) <= set(planted) if forgetful else sorted(buried) == planted
    if not complete or len(buried) != len(letters):
        yield f"dead letters are {sorted(map(str, letters.values()))}, planted were {planted}"


def _announced(world: World, kind: type[T]) -> list[T]:
    """Read every event of a type that its stream holds, each once."""
    found = {message.id: _read(message) for message in world.broker.log("SIM_ORDERS")}
    return [event for event in found.values() if isinstance(event, kind)]


def _read(message: Message) -> object:
    envelope = unpack(message)
    if envelope.type == "orders.cart-changed.v1":
        return codec.Codec(shop.CartChanged).decode(bytes(envelope.data))
    return envelope.type
