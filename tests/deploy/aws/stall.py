"""A stall that asks for prices, keeps what it sold in DynamoDB, and hears of it by SNS and SQS."""

from typing import Protocol

import msgspec

from shoal import DynamoDB, Service, System, Transaction, anyone, contract, event, get, internal, record


@contract("prices")
class PricesApi(Protocol):
    @get("/prices/{cake}", access=internal, timeout=2.0)
    async def price(self, cake: str) -> int: ...


@event("stall.sold", key="cake")
class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of cake was sold."""

    cake: str
    price: int


@record("sales", key="cake")
class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken for a cake."""

    cake: str
    taken: int = 0


prices = Service("prices", contracts=[PricesApi])
stall = Service("stall", store=DynamoDB(), publishes=[Sold])


@prices.implements(PricesApi.price)
async def price(cake: str) -> int:
    """Say what it costs."""
    return len(cake)


@stall.post("/sales/{cake}", access=anyone)
async def sell(cake: str, tx: Transaction, prices: PricesApi) -> None:
    """Sell a piece."""
    tx.publish(Sold(cake=cake, price=await prices.price(cake)))


@stall.on(Sold)
async def count(event: Sold, tx: Transaction) -> None:
    """Add it up."""
    known = await tx.get(Sale, event.cake, lock=True) or Sale(cake=event.cake)
    tx.put(Sale(cake=event.cake, taken=known.taken + event.price))


@stall.get("/sales/{cake}", access=anyone)
async def taken(cake: str, tx: Transaction) -> int:
    """Say what was taken for a cake."""
    found = await tx.get(Sale, cake)
    return 0 if found is None else found.taken


system = System("market", services=[stall, prices])
