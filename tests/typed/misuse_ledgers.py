"""Mistakes with aggregates and schedules; each line that says so must be flagged."""

from shoal import Postgres, Service, Tick, Transaction
from tests.typed.ledgers import Drained, Filled, Leaked, Tank

depot = Service("depot", store=Postgres())


@depot.post("/tanks/{name}")
async def careless(name: str, tx: Transaction) -> None:
    """Make every mistake that an aggregate allows."""
    tank = await tx.load(Tank, name)
    print(tank.litres)  # expect-error  # noqa: T201
    assert tank is not None
    tx.append(tank, Leaked())  # expect-error
    tx.append(tank, "filled")  # expect-error
    tx.append(tank)  # expect-error
    tx.append(Tank, Drained())  # expect-error
    tx.append(Filled(litres=1), Drained())  # expect-error
    await tx.append(tank, Drained())  # expect-error
    tank.litres = 3  # expect-error
    tx.load(Tank, name)  # expect-error
    await tx.load(Tank, 7)  # expect-error
    await tx.load_all(Tank, name=name)  # expect-error
    await tx.facts(Filled, name)  # expect-error


@depot.every(minutes="5")  # expect-error
async def wordy(tick: Tick) -> None:
    """Say a number in words."""


@depot.every(minutes=5, missed="never")  # expect-error
async def unknown(tick: Tick) -> None:
    """Choose what there is not."""


@depot.every(minutes=5, retries=3)  # expect-error
async def misnamed(tick: Tick) -> None:
    """Misspell an option."""


@depot.cron(5)  # expect-error
async def numeric(tick: Tick) -> None:
    """Give a number for an expression."""


@depot.cron("0 3 * * *")  # expect-error
def synchronous(tick: Tick) -> None:
    """Forget that handlers are asynchronous."""
    print(tick.due.hours)  # expect-error  # noqa: T201
