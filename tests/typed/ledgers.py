"""Aggregates and schedules as authors write them, none of it flagged by a strict type checker."""

from datetime import datetime, timedelta
from typing import assert_type

import msgspec

from shoal import Clock, Postgres, Recorded, Service, Tick, Transaction, aggregate, fact, upcast


@fact("filled", version=2)
class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """Something came in."""

    litres: int


@fact("filled")
class FilledV1(msgspec.Struct, frozen=True, kw_only=True):
    """Something came in, as it was once recorded."""

    gallons: float


@fact("drained")
class Drained(msgspec.Struct, frozen=True, kw_only=True):
    """All of it went out."""


@fact("leaked")
class Leaked(msgspec.Struct, frozen=True, kw_only=True):
    """Something that never happens to a tank."""


@upcast
def in_litres(old: FilledV1) -> Filled:
    """Convert."""
    return Filled(litres=round(old.gallons * 3.785))


@aggregate("tank", key="name", snapshot_every=10, upcasters=[in_litres])
class Tank(msgspec.Struct, frozen=True, kw_only=True):
    """A tank."""

    name: str
    litres: int = 0

    def apply(self, fact: Filled | Drained) -> "Tank":
        """Fold."""
        return msgspec.structs.replace(self, litres=self.litres + fact.litres if isinstance(fact, Filled) else 0)


depot = Service("depot", store=Postgres())


@depot.post("/tanks/{name}")
async def fill(name: str, tx: Transaction) -> Tank:
    """Load and append."""
    tank = await tx.load(Tank, name, lock=True)
    assert_type(tank, Tank | None)
    filled = tx.append(tank or Tank(name=name), Filled(litres=3))
    assert_type(filled, Tank)
    tanks = await tx.load_all(Tank, ["a", "b"])
    assert_type(tanks, dict[str, Tank])
    history = await tx.facts(Tank, name, above=2, limit=5)
    assert_type(history[0].at, datetime)
    return tx.append(filled, Drained())


@depot.get("/tanks/{name}/history")
async def show(name: str, tx: Transaction) -> list[str]:
    """Read the facts."""
    return [describe(recorded) for recorded in await tx.facts(Tank, name)]


def describe(recorded: Recorded[Filled | Drained]) -> str:
    """Spell a fact."""
    return str(recorded.fact.litres) if isinstance(recorded.fact, Filled) else "drained"


@depot.every(minutes=5, missed="skip", timeout=60.0, attempts=3, backoff=0.5, name="measure-all")
async def measure(tick: Tick, tx: Transaction, clock: Clock) -> None:
    """Run by a period."""
    assert_type(tick.due, datetime)
    assert_type(tick.previous, datetime | None)
    tx.append(Tank(name=f"{tick.attempt} {tick.schedule} {clock.now()}"), Drained())


@depot.every(timedelta(hours=1), missed="all")
async def count() -> int:
    """Take nothing, return something."""
    return 1


@depot.cron("0 3 * * mon-fri", zone="Europe/Berlin", missed="once")
async def report(tick: Tick) -> None:
    """Run by an expression."""
