"""What happened to an order, noted and told to the others."""

from shoal import Clock, Transaction
from shop.orders.lifecycle import announcement, learn
from shop.orders.records import Fact, Order


async def learn_of(order_id: str, fact: Fact, tx: Transaction, clock: Clock) -> None:
    """Note a fact, and announce what follows from it. An unknown order is nobody's: the event becomes a dead letter."""
    before = await tx.require(Order, order_id, lock=True)
    after = learn(before, fact, clock.now())
    if after is before:
        return
    tx.put(after)
    if news := announcement(before, after):
        tx.publish(news)
