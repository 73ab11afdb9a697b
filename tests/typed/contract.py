"""What one service tells another: the messages and the contract that the other files use."""

from typing import Annotated, Protocol

import msgspec

from shoal import Header, contract, delete, event, get, internal, post, record, upcast


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """An offer."""

    sku: str
    amount: int


@event("quotes.made", key="sku")
class QuoteMade(msgspec.Struct, frozen=True, kw_only=True):
    """An offer was made."""

    sku: str
    amount: int


@event("quotes.made", version=2, key="sku", mode="binary", failure=False)
class QuoteMadeV2(msgspec.Struct, frozen=True, kw_only=True):
    """An offer was made, in some currency."""

    sku: str
    amount: int
    currency: str


@upcast
def add_currency(old: QuoteMade) -> QuoteMadeV2:
    """Read offers of old, all of which were in euros."""
    return QuoteMadeV2(sku=old.sku, amount=old.amount, currency="EUR")


@event("quotes.taken", key="sku")
class QuoteTaken(msgspec.Struct, frozen=True, kw_only=True):
    """An offer was taken."""

    sku: str


@record("quotes", key="sku")
class StoredQuote(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as it is kept."""

    sku: str
    amount: int = 0


@contract("quotes")
class QuotesApi(Protocol):
    """What the service of offers is asked."""

    @get("/quotes/{sku}", access=internal)
    async def quote(self, sku: str, language: Annotated[str, Header("Accept-Language")] = "en") -> Quote:
        """Make an offer."""
        ...

    @post("/quotes", access=internal, idempotent=True, status=201)
    async def make(self, quote: Quote) -> Quote:
        """Keep an offer."""
        ...

    @delete("/quotes/{sku}", access=internal)
    async def drop(self, sku: str) -> None:
        """Forget an offer."""
        ...
