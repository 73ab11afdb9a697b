"""The same handler, as FastAPI's documentation writes it: Pydantic models, a dependency for the token.

The dependency reads the header from the request, which is the cheapest way FastAPI offers, and remembers verified
tokens exactly as Shoal does.
"""

import time
from pathlib import Path
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from shoal.tokens import Refused, Verifier


class Line(BaseModel):
    """What is wanted."""

    model_config = ConfigDict(frozen=True)

    sku: Annotated[str, Field(min_length=3, max_length=32)]
    quantity: Annotated[int, Field(ge=1, le=100)]
    unit_price: Annotated[int, Field(ge=0)]


class Basket(BaseModel):
    """Everything that is wanted."""

    model_config = ConfigDict(frozen=True)

    currency: Literal["EUR", "GBP", "USD"]
    lines: Annotated[list[Line], Field(min_length=1, max_length=50)]
    note: str = ""


class PricedLine(BaseModel):
    """What it costs."""

    sku: str
    quantity: int
    total: int


class Quote(BaseModel):
    """What everything costs."""

    basket: int
    customer: str
    currency: str
    lines: list[PricedLine]
    total: int


class Bearer:
    """Dependency: the subject of a verified token."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._known: dict[str, tuple[float, str]] = {}

    async def __call__(self, request: Request) -> str:
        """Return the subject, or answer 401."""
        header = request.headers.get("authorization", "")
        known = self._known.get(header)
        if known is not None and known[0] > time.time():
            return known[1]
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer":
            raise _refusal()
        try:
            claims = self._verifier.verify(token, time.time())
        except Refused as error:
            raise _refusal() from error
        self._known[header] = (claims["exp"], claims["sub"])
        return str(claims["sub"])


def _refusal() -> HTTPException:
    return HTTPException(401, headers={"WWW-Authenticate": "Bearer"})


def application(jwks: Path, issuer: str, audience: str) -> FastAPI:
    """Make the application."""
    app = FastAPI()
    bearer = Bearer(Verifier(jwks.read_bytes(), issuer=issuer, audience=audience))

    @app.post("/baskets/{basket}/quote")
    async def quote(basket: int, order: Basket, subject: Annotated[str, Depends(bearer)]) -> Quote:
        """Price a basket."""
        priced = [
            PricedLine(sku=line.sku, quantity=line.quantity, total=line.quantity * line.unit_price)
            for line in order.lines
        ]
        return Quote(
            basket=basket,
            customer=subject,
            currency=order.currency,
            lines=priced,
            total=sum([line.total for line in priced]),
        )

    return app
