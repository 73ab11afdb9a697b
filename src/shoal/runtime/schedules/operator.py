"""What an operator sees of schedules, and asks of them."""

from datetime import datetime

import msgspec

from shoal.drivers.base import Query, Store
from shoal.runtime.schedules.decide import Rest, decide
from shoal.runtime.schedules.rows import SCHEDULES, State, from_row, to_row
from shoal.service.declare import Service

_TABLE = SCHEDULES.table


async def states(store: Store) -> dict[str, State]:
    """Read how far the schedules of a service have come, by name."""
    async with store.session() as session:
        return {str(row["name"]): from_row(row) for row in await session.find(_TABLE, Query(order=("name",)))}


async def is_due(service: Service, store: Store, now: datetime) -> bool:
    """Tell whether a schedule has something to do now; one that is tried again later has not."""
    known = await states(store) if service.schedules else {}
    return any(
        name not in known or not isinstance(decide(d.rule, d.model.missed, known[name], now), Rest)
        for name, d in ((declared.model.name, declared) for declared in service.schedules)
    )


async def ask(store: Store, name: str, now: datetime) -> bool:
    """Ask for a run at once; False when no replica has counted the schedule yet."""
    async with store.session() as session:
        row = await session.get(_TABLE, name, lock=True)
        if row is None:
            return False
        session.put(_TABLE, to_row(msgspec.structs.replace(from_row(row), asked=now)))
    return True
