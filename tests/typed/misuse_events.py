"""Mistakes with events and transactions; each line that says so must be flagged."""

from collections.abc import Sequence

from shoal import Postgres, Service, Transaction, upcast
from tests.typed.contract import QuoteMade, QuoteMadeV2, QuoteTaken, StoredQuote, add_currency

shop = Service("shop", store=Postgres())


@shop.on(QuoteMade)  # expect-error
async def another_event(event: QuoteTaken) -> None:
    """Handle an event of another class."""


@shop.on(QuoteMade)  # expect-error
async def no_event(tx: Transaction) -> None:
    """Take no event at all."""


@shop.on(QuoteMade)  # expect-error
def synchronous(event: QuoteMade) -> None:
    """Forget that handlers are asynchronous."""


@shop.on(QuoteMade, batch=10)  # expect-error
async def one_of_many(event: QuoteMade, tx: Transaction) -> None:
    """Take one event where many come."""


@shop.on(QuoteMade, batch=10)  # expect-error
async def many_of_another(events: Sequence[QuoteTaken]) -> None:
    """Take many events of another class."""


@shop.on(QuoteMade)  # expect-error
async def many_where_one_comes(events: Sequence[QuoteMade]) -> None:
    """Take many where one comes."""


@shop.on(QuoteMade, attempts="many")  # expect-error
async def wordy(event: QuoteMade) -> None:
    """Say a number in words."""


@upcast  # expect-error
def of_two(old: QuoteMade, more: int) -> QuoteMadeV2:
    """Take more than the event."""
    return QuoteMadeV2(sku=old.sku, amount=more, currency="EUR")


def plain(old: QuoteMade) -> QuoteMadeV2:
    """Forget the decorator."""
    return QuoteMadeV2(sku=old.sku, amount=old.amount, currency="EUR")


add_currency("a")  # expect-error


@shop.on(QuoteMadeV2, upcasters=[plain])  # expect-error
async def undecorated(event: QuoteMadeV2) -> None:
    """Name a function that is no upcaster."""


@shop.on(QuoteMade, leads_to=["quotes.taken"])  # expect-error
async def by_name(event: QuoteMade) -> None:
    """Name events that are classes."""


@shop.on(QuoteMade)
async def careless(event: QuoteMade, tx: Transaction) -> None:
    """Make every mistake that a transaction allows."""
    tx.publish()  # expect-error
    tx.publish(QuoteMade(sku="a"))  # expect-error
    tx.publish(QuoteMade(sku="a", amount="1"))  # expect-error
    await tx.publish(QuoteTaken(sku="a"))  # expect-error
    await tx.put(StoredQuote(sku="a"))  # expect-error
    tx.flush()  # expect-error
    tx.get(StoredQuote, "a")  # expect-error
    found = await tx.get(StoredQuote, "a")
    print(found.amount)  # expect-error  # noqa: T201
    stored = await tx.require(StoredQuote, "a")
    print(stored.price)  # expect-error  # noqa: T201
    stored.amount = 3  # expect-error
    amount: str = stored.amount  # expect-error
    await tx.find(StoredQuote, limit=amount)  # expect-error
    event.amount.upper()  # expect-error
    tx.insrt(stored)  # expect-error
