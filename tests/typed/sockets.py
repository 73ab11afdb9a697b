"""A socket as authors write it: what is heard and what may be said have their types."""

import dataclasses
from typing import assert_type

import msgspec

from shoal import Disconnected, Postgres, Service, Socket, Transact, Transaction, Watch, signed_in
from tests.typed.contract import StoredQuote


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the client says."""

    sku: str


@dataclasses.dataclass(frozen=True)
class Offered:
    """What it hears."""

    amount: int


talks = Service("talks", store=Postgres())


@talks.socket("/talks/{sku}", access=signed_in, rate=5, idle=60, largest=1024)
async def talk(sku: str, socket: Socket[Asked, Offered], transact: Transact, watch: Watch) -> None:
    """Answer each."""

    async def read(tx: Transaction) -> StoredQuote:
        return await tx.require(StoredQuote, sku)

    async for asked in socket:
        assert_type(asked, Asked)
        found = await transact(read)
        assert_type(found, StoredQuote)
        try:
            await socket.send(Offered(amount=found.amount))
        except Disconnected:
            return
    async for seen in watch(read):
        assert_type(seen, StoredQuote)
