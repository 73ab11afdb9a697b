"""What the simulated services promise each other over HTTP."""

from typing import Protocol

import msgspec

from shoal import contract, internal, post


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    gift: str
    sku: str
    pieces: int


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    gift: str
    amount: int


@contract("stock")
class StockApi(Protocol):
    @post("/aside", access=internal, idempotent=True, timeout=5.0)
    async def set_aside(self, parcel: Parcel) -> Parcel: ...

    @post("/back", access=internal, idempotent=True, timeout=5.0)
    async def put_back(self, parcel: Parcel) -> Parcel: ...


@contract("payments")
class PaymentsApi(Protocol):
    @post("/bills", access=internal, idempotent=True, timeout=5.0)
    async def collect(self, bill: Bill) -> Bill: ...

    @post("/refunds", access=internal, idempotent=True, timeout=5.0)
    async def repay(self, bill: Bill) -> Bill: ...
