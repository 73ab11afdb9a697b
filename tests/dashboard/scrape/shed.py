"""A service that uses every engine that is asked of itself."""

import msgspec

from shoal import CacheStore, Postgres, Service, System, Transaction, Valkey, anyone, event


@event("shed.lent", key="tool")
class Lent(msgspec.Struct, frozen=True):
    """A tool is lent."""

    tool: str


shed = Service("shed", store=Postgres(), cache=Valkey(), publishes=[Lent])


@shed.put("/tools/{tool}", access=anyone)
async def lend(tool: str, cache: CacheStore, tx: Transaction) -> None:
    """Lend a tool."""
    await cache.put(tool, "lent", ttl=60)
    tx.publish(Lent(tool))


@shed.on(Lent)
async def lent(event: Lent, tx: Transaction) -> None:
    """Note it."""


system = System("garden", services=[shed])
