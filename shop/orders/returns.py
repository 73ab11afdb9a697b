"""Giving goods back: an orchestrated saga over orders, payments and inventory.

The refund is the point of no return. Before it, a return can be refused and the order is as it was; after it, the goods
go back on the shelf and the customer is told, however long that takes.
"""

import msgspec

from shoal import CallRejected, Clock, Saga, StepRefused, Transaction, pivot, retriable, step
from shop.inventory.contract import InventoryApi, Parcel
from shop.orders.learning import learn_of
from shop.payments.contract import PaymentsApi, RefundAsked


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a return."""

    order_id: str
    refund_id: str = ""


class ReturnGoods(Saga[Return]):
    """The goods of an order go back on the shelf, and its money to the customer."""

    async def refuse(self, state: Return, tx: Transaction, clock: Clock) -> None:
        """Let the order be confirmed again."""
        await learn_of(state.order_id, "RETURN_REFUSED", tx, clock)

    @step(compensate=refuse)
    async def open(self, state: Return, tx: Transaction, clock: Clock) -> None:
        """Note on the order that it comes back."""
        await learn_of(state.order_id, "RETURN_OPENED", tx, clock)

    @pivot(timeout=20.0)
    async def refund(self, state: Return, payments: PaymentsApi) -> Return:
        """Give the money back; a call that is repeated carries the same key."""
        try:
            refunded = await payments.refund(RefundAsked(order_id=state.order_id))
        except CallRejected as error:
            if error.code == "not-captured":
                raise StepRefused(f"order {state.order_id} has no money to give back") from error
            raise
        return msgspec.structs.replace(state, refund_id=refunded.refund_id)

    @retriable()
    async def restock(self, state: Return, inventory: InventoryApi) -> None:
        """Put the goods back on the shelf."""
        await inventory.take_back(Parcel(order_id=state.order_id))

    @retriable()
    async def close(self, state: Return, tx: Transaction, clock: Clock) -> None:
        """Note that it is done, and announce it, so that the customer hears of it."""
        await learn_of(state.order_id, "RETURNED", tx, clock)
