"""What is done for the sagas of a service now and then."""

from collections.abc import Sequence
from datetime import datetime

from shoal.drivers.base import Query, Session, Store
from shoal.runtime.sagas.instances import ACTIVE, ENDED, JOURNAL_TABLE, SAGAS_TABLE, Entry, entry_of

PAGE = 100
"""Sagas that are forgotten in one transaction."""

MOST = 90
"""Rows that go in one transaction: fewer than the engine takes that takes the fewest (DynamoDB, 100)."""

LONGEST_JOURNAL = 10_000
"""Entries of one saga that are read."""


async def count_parked(store: Store, parts: Sequence[int]) -> int:
    """Count the sagas of some parts that wait for a person."""
    if not parts:
        return 0
    async with store.session() as session:
        return await session.count(SAGAS_TABLE, {"status": "parked", "part": tuple(parts)})


async def drives(store: Store, now: datetime) -> bool:
    """Tell whether some saga has something to do now."""
    query = Query(where={"status": ACTIVE}, at_most={"due": now}, limit=1)
    async with store.session() as session:
        return bool(await session.find(SAGAS_TABLE, query))


async def forget(store: Store, parts: Sequence[int], now: datetime) -> int:
    """Remove some sagas that ended long ago, with their journals; return how many were begun with, 0 when none is left.

    Of a saga with a long journal a part goes at a time, and the saga last.
    """
    if not parts:
        return 0
    query = Query(where={"status": ENDED, "part": tuple(parts)}, at_most={"due": now}, order=("due",), limit=PAGE)
    begun, left = 0, MOST
    async with store.session() as session:
        for row in await session.find(SAGAS_TABLE, query):
            if left <= 0:
                break
            entries = await journal(session, str(row["id"]))
            for entry in entries[:left]:
                session.delete(JOURNAL_TABLE, f"{entry.saga}/{entry.number:08}")
            if len(entries) < left:
                session.delete(SAGAS_TABLE, row["id"])
            begun, left = begun + 1, left - len(entries) - 1
    return begun


async def journal(session: Session, saga: str) -> list[Entry]:
    """Read what happened to a saga, in order; by the range of its keys, so that the journal needs no further index."""
    query = Query(above={"id": f"{saga}/"}, at_most={"id": f"{saga}/99999999"}, order=("id",), limit=LONGEST_JOURNAL)
    found = [entry_of(row) for row in await session.find(JOURNAL_TABLE, query)]
    return sorted((entry for entry in found if entry.saga == saga), key=lambda entry: entry.number)
