"""What one service tells another: the messages and the contract that the other files use."""

from typing import Annotated, Protocol

import msgspec

from shoal import Header, contract, delete, event, get, internal, post, record


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """An offer."""

    sku: str
    amount: int


@event("quotes.made", key="sku")
class QuoteMade(msgspec.Struct, frozen=True, kw_only=True):
    """An offer was made."""

    sku: str
    amount: int


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
