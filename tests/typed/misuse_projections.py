"""Mistakes with projections; each line that says so must be flagged."""

from typing import assert_type

from shoal import Clock, Postgres, ReadModel, Service, Transaction
from tests.typed.contract import QuoteMade, QuoteMadeV2, QuoteTaken, StoredQuote, add_currency

shop = Service("shop", store=Postgres())
offers = shop.projection("offers", records=[StoredQuote], version=2, partial=True)


@offers.on(QuoteTaken)
async def right(event: QuoteTaken, records: ReadModel) -> None:
    """Fold an event."""
    assert_type(await records.get(StoredQuote, event.sku), StoredQuote | None)
    assert_type(await records.find(StoredQuote, {"amount": 1}, order=["-sku"], limit=5), list[StoredQuote])
    assert_type(await records.count(StoredQuote), int)
    records.put(StoredQuote(sku=event.sku))
    records.delete(StoredQuote, event.sku)


@offers.on(QuoteMadeV2, upcasters=[add_currency])
async def also_right(event: QuoteMadeV2, records: ReadModel) -> None:
    """Fold newer and older versions."""
    records.insert(StoredQuote(sku=event.sku, amount=event.amount))


@offers.on(QuoteMade)  # expect-error
async def another_event(event: QuoteTaken, records: ReadModel) -> None:
    """Fold an event of another class."""


@offers.on(QuoteMade)  # expect-error
async def with_clock(event: QuoteMade, records: ReadModel, clock: Clock) -> None:
    """Ask what time it is, which differs the next time."""


@offers.on(QuoteMade)  # expect-error
async def with_transaction(event: QuoteMade, tx: Transaction) -> None:
    """Take a transaction, which could announce something twice."""


@offers.on(QuoteMade)  # expect-error
def synchronous(event: QuoteMade, records: ReadModel) -> None:
    """Forget that handlers are asynchronous."""


async def publishing(event: QuoteMade, records: ReadModel) -> None:
    """Announce something, which a rebuild would announce again."""
    records.publish(event)  # expect-error


async def reaching(event: QuoteMade, records: ReadModel) -> None:
    """Do what a read model has no need of."""
    await records.require(StoredQuote, event.sku)  # expect-error
    await records.get(StoredQuote)  # expect-error
    await records.get(StoredQuote, event.sku, lock=True)  # expect-error
    await records.find(StoredQuote, "amount")  # expect-error
    await records.execute("delete from quotes")  # expect-error


@offers.on(QuoteMade)  # expect-error
async def answering(event: QuoteMade, records: ReadModel) -> int:
    """Answer, although nobody asked."""
    return event.amount


shop.projection("wordy", records=[StoredQuote], version="2")  # expect-error
shop.projection("nameless")  # expect-error
