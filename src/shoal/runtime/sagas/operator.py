"""What an operator sees of a service's sagas and can do about them, from outside of its processes."""

from collections.abc import Sequence
from datetime import datetime

from shoal.drivers.base import Query, Store
from shoal.errors import Conflict, ShoalError
from shoal.model.saga import Saga
from shoal.runtime.sagas import progress
from shoal.runtime.sagas.housekeeping import journal
from shoal.runtime.sagas.instances import ACTIVE, ENDED, SAGAS_TABLE, Entry, Instance, Status, from_row, write
from shoal.runtime.sagas.progress import Change

MOST = 1000
"""Sagas that one listing shows."""


async def listed(
    store: Store,
    statuses: Sequence[Status] = (),
    saga: str = "",
    limit: int = MOST,
    *,
    failed: bool | None = None,
) -> list[Instance]:
    """List sagas, those that changed last first.

    Args:
        store: Of their service.
        statuses: Only of these; all when there are none.
        saga: Only of this kind.
        limit: At most so many.
        failed: Only those whose present step has failed before, or only the others.
    """
    where: dict[str, object] = {"status": tuple(statuses)} if statuses else {}
    if saga:
        where["saga"] = saga
    if failed is False:
        where["tries"] = 0
    query = Query(where=where, above={"tries": 0} if failed else {}, order=("-updated",), limit=limit)
    async with store.session() as session:
        return [from_row(row) for row in await session.find(SAGAS_TABLE, query)]


async def tallied(store: Store) -> dict[tuple[Status, bool], int]:
    """Count all sagas by status, and by whether the present step has failed before, which only who goes on can have."""
    found: dict[tuple[Status, bool], int] = {}
    async with store.session() as session:
        for status in ("parked", *ENDED):
            found[status, False] = await session.count(SAGAS_TABLE, {"status": status})
        for status in ACTIVE:
            found[status, False] = await session.count(SAGAS_TABLE, {"status": status, "tries": 0})
            found[status, True] = await session.count(SAGAS_TABLE, {"status": status}) - found[status, False]
    return found


async def counted(store: Store, status: Status) -> int:
    """Count the sagas of one status."""
    async with store.session() as session:
        return await session.count(SAGAS_TABLE, {"status": status})


async def found(store: Store, name: str) -> list[Instance]:
    """Find the saga of this id, or those of this key."""
    async with store.session() as session:
        row = await session.get(SAGAS_TABLE, name)
        rows = [row] if row is not None else await session.find(SAGAS_TABLE, Query(where={"key": name}, limit=10))
        return [from_row(row) for row in rows]


async def history(store: Store, saga: str) -> list[Entry]:
    """Read what happened to a saga, in order."""
    async with store.session() as session:
        return await journal(session, saga)


async def retry(store: Store, kind: Saga, saga: Instance, now: datetime) -> Instance:
    """Let a parked saga go on, with all its attempts again; raises `ShoalError` for one that is not parked."""
    if saga.status != "parked":
        raise ShoalError(
            f"saga {saga.id} is {saga.status}; only a parked one is tried again",
            hint="one that waits goes on by itself; `shoal saga show` tells when" if saga.is_active else "",
        )
    return await _commit(store, saga, progress.retried(kind, saga, now))


async def compensate(store: Store, kind: Saga, saga: Instance, now: datetime, *, force: bool = False) -> Instance:
    """Turn a saga back; raises `ShoalError` where there is no way back.

    Args:
        store: Of the saga's service.
        kind: The saga as the service declares it.
        saga: As it was read.
        now: The present.
        force: Also when nobody knows whether its pivot happened.
    """
    if reason := progress.why_not_undone(kind, saga):
        raise ShoalError(f"saga {saga.id} cannot be undone: {reason}", hint="look at it with `shoal saga show`")
    if not force and (pivot := progress.may_have_happened(kind, saga)):
        raise ShoalError(
            f"saga {saga.id} is parked at its pivot {pivot}, and nobody knows whether that happened",
            hint="make sure that it did not, then say --force; if it did, `shoal saga retry`",
        )
    return await _commit(store, saga, progress.undone(kind, saga, now))


async def _commit(store: Store, saga: Instance, change: Change) -> Instance:
    try:
        async with store.session() as session:
            write(session, change.after, change.entry)
    except Conflict as error:
        raise ShoalError(f"saga {saga.id} has gone on meanwhile", hint="look at it again") from error
    return change.after
