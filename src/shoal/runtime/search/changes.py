"""Which records an index has to look at again: noted in the service's own store, with the change itself.

A note says only which record. Who keeps the index reads the record as it is by then, under a number that was taken and
committed before: the greater number has read the later state, so that an engine which keeps the greater one for each
document ends with the state of the store, whoever was slow, died or was overtaken on the way.
"""

from collections.abc import Sequence
from typing import cast
from uuid import uuid4

from shoal.drivers.base import OwnTable, Query, Row, Session, Store
from shoal.errors import Unavailable
from shoal.service.declare import Service
from shoal.service.search import index_mark

MOST = 90
"""Notes that go in one transaction: fewer than the engine takes that takes the fewest (DynamoDB, 100)."""

CHANGES = OwnTable(
    name="search_changes",
    key="id",
    columns=(("id", "text"), ("index_name", "text"), ("record", "text"), ("all_of_it", "boolean")),
    indexes=(("index_name",),),
)
"""Records that changed, and may not have in the index."""

STANDINGS = OwnTable(
    name="search_indexes",
    key="name",
    columns=(("name", "text"), ("number", "integer"), ("physical", "text"), ("generation", "integer")),
)
"""For each index the latest number, and the index that has everything; empty while none has."""


def note(session: Session, kind: type, key: str) -> None:
    """Note a change, which commits with it."""
    _note(session, kind, key, all_of_it=False)


def note_all(session: Session, kind: type) -> None:
    """Note that the table of all records is another one: their index is built anew."""
    _note(session, kind, "", all_of_it=True)


def _note(session: Session, kind: type, key: str, *, all_of_it: bool) -> None:
    name = index_mark(kind).index.name
    row = {"id": uuid4().hex, "index_name": name, "record": key, "all_of_it": all_of_it}
    session.put(CHANGES.table, row)


async def standing(store: Store, name: str) -> Row:
    """Read how an index stands."""
    async with store.session() as session:
        return await _standing(session, name, lock=False)


async def number(store: Store, name: str) -> int:
    """Take the next number. What is read afterwards is as new as whatever anybody read under a smaller one."""
    async with store.session() as session:
        row = await _standing(session, name, lock=True)
        taken = int(cast("int", row["number"])) + 1
        session.put(STANDINGS.table, {**row, "number": taken})
    return taken


async def pending(store: Store, name: str, limit: int) -> Sequence[Row]:
    """Read some of the notes about single records."""
    where = {"index_name": name, "all_of_it": False}
    async with store.session() as session:
        return await session.find(CHANGES.table, Query(where=where, limit=limit))


async def replaced(store: Store, name: str) -> Sequence[Row]:
    """Read the notes that all records are others. Those that come while an index is built ask for another one."""
    where = {"index_name": name, "all_of_it": True}
    async with store.session() as session:
        return await session.find(CHANGES.table, Query(where=where))


async def done(store: Store, name: str, taken: int, notes: Sequence[Row]) -> None:
    """Let go of notes whose records the index has; `Unavailable` when somebody took a greater number meanwhile."""
    for first in range(0, len(notes), MOST):
        async with store.session() as session:
            await _require(session, name, taken)
            for each in notes[first : first + MOST]:
                session.delete(CHANGES.table, each["id"])


async def settled(store: Store, name: str, taken: int, physical: str, generation: int, notes: Sequence[Row]) -> None:
    """Note which index has everything; `Unavailable` when somebody took a greater number meanwhile."""
    async with store.session() as session:
        row = await _require(session, name, taken)
        session.put(STANDINGS.table, {**row, "physical": physical, "generation": generation})
        for each in notes[:MOST]:
            session.delete(CHANGES.table, each["id"])
    await done(store, name, taken, notes[MOST:])  # were they left, they would only be taken over once more


async def unindexed(store: Store, service: Service) -> bool:
    """Tell whether some index of a service lacks something."""
    kinds = service.search.indexes if service.search is not None else ()
    for name in [index_mark(kind).index.name for kind in kinds]:
        if (
            await pending(store, name, 1)
            or await replaced(store, name)
            or not (await standing(store, name))["physical"]
        ):
            return True
    return False


async def _require(session: Session, name: str, taken: int) -> Row:
    row = await _standing(session, name, lock=True)
    if row["number"] != taken:
        raise Unavailable(f"another process took over the index {name}", hint="it goes on where this one stopped")
    return row


async def _standing(session: Session, name: str, *, lock: bool) -> Row:
    found = await session.get(STANDINGS.table, name, lock=lock)
    return {"name": name, "number": 0, "physical": "", "generation": 0} if found is None else found
