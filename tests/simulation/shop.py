"""The simulated system: three services, as small as they can be while everything that can go wrong still can.

``orders`` takes orders and changes of carts, ``stock`` reserves, ``payments`` charges a provider outside. Carts have
nothing to do with orders: they are many ordered events of few keys.
"""

import uuid

import msgspec

from shoal import Postgres, ReadModel, Service, System, Transaction, anyone, event, record
from tests.simulation.contracts import PaymentsApi, StockApi
from tests.simulation.outside import Mishaps, Nobody, Provider

PRICE = 7
STOCK = 20
EVERY = 2
SKUS = ("apple", "pear")
BAD_CARD = "bad"


@event("orders.placed", key="order_id")
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    sku: str
    pieces: int
    card: str


@event("orders.confirmed", key="order_id")
class OrderConfirmed(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


@event("orders.cancelled", key="order_id", failure=True)
class OrderCancelled(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


@event("orders.cart-changed", key="cart")
class CartChanged(msgspec.Struct, frozen=True, kw_only=True):
    cart: str
    version: int
    poison: bool = False


@event("stock.reserved", key="order_id")
class StockReserved(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    amount: int
    card: str


@event("stock.refused", key="order_id", failure=True)
class StockRefused(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


@event("payments.taken", key="order_id")
class PaymentTaken(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


@event("payments.declined", key="order_id", failure=True)
class PaymentDeclined(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


@record("orders", key="id")
class Order(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    token: str
    pieces: int
    state: str = "placed"


@record("carts", key="id")
class Cart(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    version: int = 0
    tokens: tuple[str, ...] = ()


@record("items", key="sku")
class Item(msgspec.Struct, frozen=True, kw_only=True):
    sku: str
    available: int = STOCK
    reserved: int = 0
    sold: int = 0


@record("reservations", key="order_id")
class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    sku: str
    pieces: int
    state: str = "reserved"


@record("payments", key="order_id")
class Payment(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    amount: int


@record("heard", key="cart")
class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """Versions of a cart in the order in which they were handled."""

    cart: str
    versions: tuple[int, ...] = ()


@record("views", key="cart")
class View(msgspec.Struct, frozen=True, kw_only=True):
    """A cart as its events tell it."""

    cart: str
    versions: tuple[int, ...] = ()


@record("stocktakes", key="id")
class Stocktake(msgspec.Struct, frozen=True, kw_only=True):
    """How often pieces were counted."""

    id: str
    times: int = 0


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    sku: str
    pieces: int
    card: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    poison: bool = False


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced, OrderConfirmed, OrderCancelled, CartChanged])
stock = Service("stock", store=Postgres(), publishes=[StockReserved, StockRefused], contracts=[StockApi])
payments = Service("payments", store=Postgres(), publishes=[PaymentTaken, PaymentDeclined], contracts=[PaymentsApi])
views = payments.projection("carts", records=[View])
system = System("sim", services=[orders, stock, payments])


@stock.provide
def no_mishaps() -> Mishaps:
    return Nobody()


@payments.provide
def no_provider() -> Provider:
    return Nobody()


@stock.seed("items")
async def fill(tx: Transaction) -> None:
    for sku in SKUS:
        tx.insert(Item(sku=sku))


@orders.post("/orders", status=201, access=anyone, idempotent=True)
async def place(body: NewOrder, tx: Transaction) -> Order:
    order = Order(id=uuid.uuid4().hex, token=body.token, pieces=body.pieces)
    tx.insert(order)
    tx.publish(OrderPlaced(order_id=order.id, sku=body.sku, pieces=body.pieces, card=body.card))
    return order


@orders.post("/carts/{cart_id}/changes", access=anyone, idempotent=True)
async def change(cart_id: str, body: Change, tx: Transaction) -> Cart:
    before = await tx.get(Cart, cart_id, lock=True)
    if before is None:
        after = Cart(id=cart_id, version=1, tokens=(body.token,))
        tx.insert(after)
    else:
        after = msgspec.structs.replace(before, version=before.version + 1, tokens=(*before.tokens, body.token))
        tx.put(after)
    tx.publish(CartChanged(cart=cart_id, version=after.version, poison=body.poison))
    return after


@orders.on(PaymentTaken)
async def confirm(event: PaymentTaken, tx: Transaction) -> None:
    await _end(event.order_id, "confirmed", tx)
    tx.publish(OrderConfirmed(order_id=event.order_id))


@orders.on(PaymentDeclined)
async def cancel(event: PaymentDeclined, tx: Transaction) -> None:
    await _end(event.order_id, "cancelled", tx)
    tx.publish(OrderCancelled(order_id=event.order_id))


@orders.on(StockRefused)
async def refuse(event: StockRefused, tx: Transaction) -> None:
    await _end(event.order_id, "cancelled", tx)


async def _end(order_id: str, state: str, tx: Transaction) -> None:
    order = await tx.require(Order, order_id, lock=True)
    tx.put(msgspec.structs.replace(order, state=state))


@stock.on(OrderPlaced)
async def reserve(event: OrderPlaced, tx: Transaction) -> None:
    item = await tx.require(Item, event.sku, lock=True)
    if item.available < event.pieces:
        tx.publish(StockRefused(order_id=event.order_id))
        return
    available, reserved = item.available - event.pieces, item.reserved + event.pieces
    tx.put(msgspec.structs.replace(item, available=available, reserved=reserved))
    tx.insert(Reservation(order_id=event.order_id, sku=event.sku, pieces=event.pieces))
    tx.publish(StockReserved(order_id=event.order_id, amount=event.pieces * PRICE, card=event.card))


@stock.on(OrderConfirmed)
async def sell(event: OrderConfirmed, tx: Transaction, mishaps: Mishaps) -> None:
    mishaps.happen()
    found, item = await _reserved(event.order_id, tx)
    tx.put(msgspec.structs.replace(found, state="sold"))
    tx.put(msgspec.structs.replace(item, reserved=item.reserved - found.pieces, sold=item.sold + found.pieces))


@stock.on(OrderCancelled)
async def release(event: OrderCancelled, tx: Transaction) -> None:
    found, item = await _reserved(event.order_id, tx)
    available, reserved = item.available + found.pieces, item.reserved - found.pieces
    tx.put(msgspec.structs.replace(found, state="released"))
    tx.put(msgspec.structs.replace(item, available=available, reserved=reserved))


async def _reserved(order_id: str, tx: Transaction) -> tuple[Reservation, Item]:
    found = await tx.require(Reservation, order_id, lock=True)
    return found, await tx.require(Item, found.sku, lock=True)


@stock.on(CartChanged, attempts=4, backoff=0.1)
async def hear(event: CartChanged, tx: Transaction, mishaps: Mishaps) -> None:
    if event.poison:
        raise ValueError(f"cart {event.cart} cannot be read")
    await _hear(event, tx)
    mishaps.happen()


@payments.on(CartChanged)
async def overhear(event: CartChanged, tx: Transaction) -> None:
    await _hear(event, tx)


async def _hear(event: CartChanged, tx: Transaction) -> None:
    heard = await tx.get(Heard, event.cart) or Heard(cart=event.cart)
    tx.put(msgspec.structs.replace(heard, versions=(*heard.versions, event.version)))


@payments.on(StockReserved)
async def charge(event: StockReserved, tx: Transaction, provider: Provider) -> None:
    if event.card == BAD_CARD:
        tx.publish(PaymentDeclined(order_id=event.order_id))
        return
    await provider.charge(event.order_id, event.amount)
    tx.insert(Payment(order_id=event.order_id, amount=event.amount))
    tx.publish(PaymentTaken(order_id=event.order_id))


@views.on(CartChanged)
async def view(event: CartChanged, model: ReadModel) -> None:
    before = await model.get(View, event.cart) or View(cart=event.cart)
    model.put(msgspec.structs.replace(before, versions=(*before.versions, event.version)))


@stock.every(seconds=EVERY)
async def take_stock(tx: Transaction, mishaps: Mishaps) -> None:
    mishaps.happen()
    before = await tx.get(Stocktake, "pieces", lock=True) or Stocktake(id="pieces")
    tx.put(msgspec.structs.replace(before, times=before.times + 1))
