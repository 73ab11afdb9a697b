"""Orders: from the wish to their end, by events of payments and inventory."""

import uuid
from collections.abc import AsyncIterator

from shoal import (
    Clock,
    DynamoDB,
    Objective,
    Page,
    PageRequest,
    Principal,
    Problem,
    RateLimit,
    ReadModel,
    Reply,
    Service,
    ShoalError,
    Transaction,
    Update,
    Watch,
    signed_in,
)
from shop.inventory.contract import StockReserved
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderPlaced, OrderReturned
from shop.orders.history import CustomerTotals, PastOrder, begun, counted, ended
from shop.orders.learning import learn_of
from shop.orders.lifecycle import why_not_returned
from shop.orders.messages import NewOrder, OrderView, view
from shop.orders.placing import Placement, pieces, place, placed
from shop.orders.records import FINAL, Order, own_order
from shop.orders.returns import Return, ReturnGoods
from shop.payments.contract import PaymentCaptured, PaymentDeclined, PaymentRefunded
from shop.products.contract import ProductsApi
from shop.users.contract import UserErased

orders = Service(
    "orders",
    summary="Orders, from placing to their end.",
    store=DynamoDB(why="orders come in bursts, and each is read and written whole, by its number"),
    objectives=[Objective(availability=0.999)],
    publishes=[OrderPlaced, OrderConfirmed, OrderCancelled, OrderReturned],
)
orders.saga("return-goods")(ReturnGoods)
history = orders.projection("order-history", records=[PastOrder, CustomerTotals])


@orders.post(
    "/orders",
    status=201,
    access=signed_in,
    idempotent=True,
    critical=True,
    limit=RateLimit(requests=10, burst=50),
    largest=64 * 1024,
    objectives=[Objective(availability=0.999), Objective(latency=1.0, target=0.99)],
)
async def place_order(
    body: NewOrder, principal: Principal, tx: Transaction, products: ProductsApi, clock: Clock
) -> Reply[OrderView]:
    """Place an order at today's prices."""
    # shoal: ignore[SH305] nothing may stand in for today's prices; each order waits 2 s at most, so few of them pile up
    offered = await products.prices(skus=list(pieces(body)))
    order_id = f"ord_{uuid.uuid4().hex}"
    placement = Placement(order_id=order_id, customer_id=principal.subject, placed_at=clock.now())
    order = place(body, offered, placement)
    tx.insert(order)
    tx.publish(placed(order))
    return Reply(body=view(order), status=201, headers={"Location": f"/orders/{order_id}"})


@orders.get("/orders/{order_id}", objectives=[Objective(latency=0.3, target=0.99)])
async def show_order(order_id: str, principal: Principal, tx: Transaction) -> OrderView:
    """Show one of the caller's orders; that of somebody else is as unknown as one that never was."""
    return view(own_order.require(await tx.get(Order, order_id), principal))


@orders.stream(
    "/orders/{order_id}/events",
    on=[PaymentCaptured, PaymentDeclined, PaymentRefunded, StockReserved, OrderReturned],
    access=signed_in,
)
async def follow_order(order_id: str, principal: Principal, watch: Watch) -> AsyncIterator[Update[OrderView]]:
    """Tell how one of the caller's orders goes on, from what it is now to its end."""

    async def read(tx: Transaction) -> Order:
        return own_order.require(await tx.get(Order, order_id), principal)

    async for order in watch(read):
        yield Update(data=view(order), id=str(order.version), event="order")
        if order.status in FINAL:
            return


@orders.get("/orders")
async def list_orders(page: PageRequest, principal: Principal, tx: Transaction) -> Page[OrderView]:
    """List the caller's orders, newest first."""
    own = {"customer_id": principal.subject}
    found = await tx.find(Order, own, order=("-placed_at",), limit=page.limit, offset=page.offset)
    return page.of([view(order) for order in found], await tx.count(Order, own))


@orders.post("/orders/{order_id}/return", status=202, access=signed_in)
async def return_goods(order_id: str, principal: Principal, tx: Transaction, clock: Clock) -> OrderView:
    """Give the goods of an order back; the money follows. Asking again changes nothing."""
    order = own_order.require(await tx.get(Order, order_id), principal)
    if order.status not in ("RETURNING", "RETURNED"):
        if reason := why_not_returned(order, clock.now()):
            raise Problem(409, "not-returnable", f"order {order_id} cannot be returned: {reason}")
        await tx.start(ReturnGoods, Return(order_id=order_id), key=order_id)
    return view(order)


@orders.on(PaymentCaptured, leads_to=[OrderConfirmed])
async def captured(event: PaymentCaptured, tx: Transaction, clock: Clock) -> None:
    """Note that an order is paid for."""
    await learn_of(event.order_id, "CAPTURED", tx, clock)


@orders.on(PaymentDeclined, leads_to=[OrderCancelled])
async def declined(event: PaymentDeclined, tx: Transaction, clock: Clock) -> None:
    """Cancel an order that will not be paid for."""
    await learn_of(event.order_id, "DECLINED", tx, clock)


@orders.on(PaymentRefunded, leads_to=[OrderCancelled])
async def refunded(event: PaymentRefunded, tx: Transaction, clock: Clock) -> None:
    """Cancel an order whose money went back."""
    await learn_of(event.order_id, "REFUNDED", tx, clock)


@orders.on(StockReserved, leads_to=[OrderConfirmed])
async def reserved(event: StockReserved, tx: Transaction, clock: Clock) -> None:
    """Note that an order lies ready."""
    await learn_of(event.order_id, "RESERVED", tx, clock)


@orders.on(UserErased, leads_to=[])
async def forget(event: UserErased, tx: Transaction) -> None:
    """Forget where a customer's parcels went. The orders stay, under a number that names nobody any more."""
    await tx.forget(event.user_id)


@orders.get("/history")
async def show_history(page: PageRequest, principal: Principal, tx: Transaction) -> Page[PastOrder]:
    """Leaf through the caller's past orders, newest first, as told by their events."""
    own = {"customer_id": principal.subject}
    found = await tx.find(PastOrder, own, order=("-placed_at",), limit=page.limit, offset=page.offset)
    return page.of(found, await tx.count(PastOrder, own))


@orders.get("/history/totals")
async def show_totals(principal: Principal, tx: Transaction) -> CustomerTotals:
    """Sum up the caller's orders."""
    return await tx.get(CustomerTotals, principal.subject) or CustomerTotals(customer_id=principal.subject)


@history.on(OrderPlaced)
async def history_begins(event: OrderPlaced, records: ReadModel) -> None:
    """Begin the history of an order."""
    await _tell(None, begun(event), records)


@history.on(OrderConfirmed)
async def history_confirmed(event: OrderConfirmed, records: ReadModel) -> None:
    """Note that an order was confirmed."""
    past = await _past(event.order_id, records)
    await _tell(past, ended(past, event), records)


@history.on(OrderCancelled)
async def history_cancelled(event: OrderCancelled, records: ReadModel) -> None:
    """Note that an order was cancelled."""
    past = await _past(event.order_id, records)
    await _tell(past, ended(past, event), records)


@history.on(OrderReturned)
async def history_returned(event: OrderReturned, records: ReadModel) -> None:
    """Note that an order was given back."""
    past = await _past(event.order_id, records)
    await _tell(past, ended(past, event), records)


async def _past(order_id: str, records: ReadModel) -> PastOrder:
    """Find what was told of an order; its events are numbered, so that the first came first."""
    found = await records.get(PastOrder, order_id)
    if found is None:
        raise ShoalError(f"order {order_id} ended without having been placed")
    return found


async def _tell(before: PastOrder | None, after: PastOrder, records: ReadModel) -> None:
    totals = await records.get(CustomerTotals, after.customer_id) or CustomerTotals(customer_id=after.customer_id)
    records.put(after)
    records.put(counted(totals, before, after))
