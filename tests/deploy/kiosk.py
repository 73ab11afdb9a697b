"""A service that runs as it would in a pod."""

import msgspec

from shoal import Postgres, Service, System, Tick, Transaction, anyone, event, record


@event("kiosk.sold", key="paper")
class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """A paper was sold."""

    paper: str


@record("sales", key="paper")
class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """How often a paper was sold."""

    paper: str
    times: int = 0


kiosk = Service("kiosk", store=Postgres(migrations="kiosk_tables"), publishes=[Sold])


@kiosk.post("/sales/{paper}", access=anyone)
async def sell(paper: str, tx: Transaction) -> None:
    """Sell a paper."""
    tx.publish(Sold(paper=paper))


@kiosk.on(Sold)
async def count(event: Sold, tx: Transaction) -> None:
    """Count it."""
    known = await tx.get(Sale, event.paper, lock=True) or Sale(paper=event.paper)
    tx.put(Sale(paper=event.paper, times=known.times + 1))


@kiosk.get("/sales/{paper}", access=anyone)
async def times(paper: str, tx: Transaction) -> int:
    """Say how often a paper was sold."""
    found = await tx.get(Sale, paper)
    return 0 if found is None else found.times


@kiosk.cron("0 0 1 1 *", apart=True)
async def stock_taking(tick: Tick, tx: Transaction) -> None:
    """Count the years, in a process of its own."""
    known = await tx.get(Sale, "years", lock=True) or Sale(paper="years")
    tx.put(Sale(paper="years", times=known.times + 1))


system = System("news", services=[kiosk])
