"""Read the audit log of commands."""

from collections.abc import Sequence
from datetime import datetime

from shoal.drivers.base import Query, Store
from shoal.runtime.commands.entries import COMMANDS, Entry, from_row


async def commands(
    store: Store,
    *,
    by: str = "",
    operation: str = "",
    trace: str = "",
    since: datetime | None = None,
    limit: int | None = None,
) -> Sequence[Entry]:
    """Read what was asked for, the latest first.

    Args:
        store: The service's own.
        by: Only what this subject asked for; empty for everybody's.
        operation: Only this one; empty for all.
        trace: Only what was asked for in this trace.
        since: Only what was asked for after this moment.
        limit: How many at most.
    """
    asked = (("subject", by), ("operation", operation), ("trace_id", trace))
    where = {column: value for column, value in asked if value}
    query = Query(where=where, above={"at": since} if since else {}, order=("-id",), limit=limit)
    async with store.session() as session:
        return [from_row(row) for row in await session.find(COMMANDS.table, query)]
