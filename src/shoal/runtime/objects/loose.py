"""The objects that may not stay, in the service's own store: those that nobody keeps yet, and those that were let go.

A store of objects commits with no database. So a name is on this list, committed, before its object is written, and is
taken off it in the transaction that keeps it. An object whose name is on no list stays; one whose time on the list is
over is removed. A process may die anywhere: what it leaves is an object that stays by a commit, or one on the list.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shoal.drivers.base import OwnTable, Query, Row, Session, Store
from shoal.errors import Problem

LOOSE = OwnTable(
    name="loose_objects",
    key="name",
    columns=(("name", "text"), ("due", "time"), ("going", "boolean"), ("type", "text"), ("size", "integer")),
    indexes=(("due",),),
)
"""One row for each: until when it may stay, whether it goes whatever anybody says, and what a client is to bring."""

KEPT = timedelta(days=1)
"""How long an object lies about that nobody keeps, beyond the time in which it may be written."""

AGAIN = timedelta(minutes=10)
"""When an object is removed again whose remover has not come back."""

SOME = 20
"""Objects that are removed at a time: of each a row and its lock change, which every engine takes in one commit."""


async def begin(store: Store, name: str, due: datetime, *, type: str = "", size: int = 0) -> None:
    """Put a name on the list before anything is written under it, with the type and size that a client agreed to."""
    async with store.session() as session:
        session.insert(LOOSE.table, {"name": name, "due": due, "going": False, "type": type, "size": size})


async def hold(session: Session, name: str) -> Row:
    """Return the row of a name for this transaction alone; 404 when it is not on the list, or is about to go."""
    row = await session.get(LOOSE.table, name, lock=True)
    if row is None or row["going"]:
        raise Problem(404, "not-found", "there is nothing to accept under this name, or no longer")
    return row


def keep(session: Session, held: Row) -> None:
    """Take a name off the list with the commit."""
    session.delete(LOOSE.table, held["name"])


def let_go(session: Session, name: str, due: datetime) -> None:
    """Put the name of an object that was kept back on the list with the commit; nobody can keep it once more."""
    session.put(LOOSE.table, {"name": name, "due": due, "going": True})


async def take_due(store: Store, now: datetime) -> Sequence[str]:
    """Return some names whose time is over; nobody can keep them from now on, and others leave them alone for a while.

    Those that another process holds are left out: it keeps them, or removes them itself.
    """
    query = Query(at_most={"due": now}, order=("due",), limit=SOME, lock=True, skip_locked=True)
    async with store.session() as session:
        rows = await session.find(LOOSE.table, query)
        for row in rows:
            session.put(LOOSE.table, {**row, "due": now + AGAIN, "going": True})
    return [str(row["name"]) for row in rows]


async def forget(store: Store, names: Sequence[str]) -> None:
    """Take the names of objects that are removed off the list."""
    async with store.session() as session:
        for name in names:
            session.delete(LOOSE.table, name)


async def is_due(store: Store, now: datetime) -> bool:
    """Tell whether there is something to remove."""
    async with store.session() as session:
        return bool(await session.find(LOOSE.table, Query(at_most={"due": now}, limit=1)))
