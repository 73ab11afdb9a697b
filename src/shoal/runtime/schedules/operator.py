"""What an operator sees of schedules, and asks of them."""

from datetime import datetime

import msgspec

from shoal.drivers.base import Query, Store
from shoal.runtime.schedules.rows import SCHEDULES, State, from_row, to_row

_TABLE = SCHEDULES.table


async def states(store: Store) -> dict[str, State]:
    """Read how far the schedules of a service have come, by name."""
    async with store.session() as session:
        return {str(row["name"]): from_row(row) for row in await session.find(_TABLE, Query(order=("name",)))}


async def ask(store: Store, name: str, now: datetime) -> bool:
    """Ask for a run at once; False when no replica has counted the schedule yet."""
    async with store.session() as session:
        row = await session.get(_TABLE, name, lock=True)
        if row is None:
            return False
        session.put(_TABLE, to_row(msgspec.structs.replace(from_row(row), asked=now)))
    return True
