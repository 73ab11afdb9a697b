"""Fold events into a projection's records: the same code for the live ones and for those that are rebuilt."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from shoal.drivers.base import Query, Session, Store, Table
from shoal.errors import Conflict, Undeclared
from shoal.runtime.privacy.opening import opener_of
from shoal.runtime.projections import journal
from shoal.runtime.projections.tables import CHECKPOINTS, Checkpoint, Entry, read, write
from shoal.runtime.search.changes import note
from shoal.runtime.tables import RecordTable, table_of
from shoal.service import codec
from shoal.service.personal import marks_of
from shoal.service.projecting import roles
from shoal.service.projections import Hearing, Projection
from shoal.service.search import is_indexed
from shoal.service.upcasting import Upcasting

T = TypeVar("T")

BATCH = 200
"""Events that are folded in one transaction."""

TIMEOUT = 25.0
"""Seconds that the handlers of one transaction may take."""

Places = Mapping[type, Table]
"""Where the records of each type are: the live tables, or their twins."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """How one type of event is folded."""

    handler: Callable[..., Awaitable[None]]
    codec: codec.Codec[Any]
    event: str
    """Name of the handler's parameter for the event."""
    model: str
    """Name of its parameter for the records."""
    personal: bool = False
    """Whether the event has fields that must be unsealed first."""


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """One projection, compiled."""

    name: str
    version: int
    partial: bool
    steps: Mapping[str, Step]
    """By type of the event."""
    live: Places
    source: str = ""
    """``file:line`` of its declaration."""
    elsewhere: frozenset[str] = frozenset()
    """Types of the events that other projections of the service hear."""

    @property
    def types(self) -> tuple[str, ...]:
        """Ids of the events that it hears."""
        return tuple(self.steps)


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """How far a fold came."""

    position: int = 0
    events: int = 0
    last: Entry | None = None
    traces: tuple[str, ...] = ()
    """Where its events were announced."""


class Records:
    """Implements `shoal.ReadModel`."""

    __slots__ = ("_places", "_projection", "_session")

    def __init__(self, session: Session, projection: str, places: Places) -> None:
        self._session, self._projection, self._places = session, projection, places

    async def get(self, kind: type[T], key: object) -> T | None:
        """Read one record."""
        mapping, table = self._of(kind)
        row = await self._session.get(table, key)
        return None if row is None else mapping.from_row(row)

    async def find(
        self,
        kind: type[T],
        where: Mapping[str, object] | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
    ) -> list[T]:
        """Read the records that match."""
        mapping, table = self._of(kind)
        query = Query(where=mapping.where(where), order=tuple(order), limit=limit)
        return [mapping.from_row(row) for row in await self._session.find(table, query)]

    async def count(self, kind: type[Any], where: Mapping[str, object] | None = None) -> int:
        """Count the records that match."""
        mapping, table = self._of(kind)
        return await self._session.count(table, mapping.where(where))

    def put(self, record: object) -> None:
        """Write a record."""
        mapping, table = self._of(type(record))
        self._session.put(table, mapping.to_row(record))
        self._altered(mapping, table, getattr(record, table.key))

    def insert(self, record: object) -> None:
        """Write a new record."""
        mapping, table = self._of(type(record))
        self._session.insert(table, mapping.to_row(record))
        self._altered(mapping, table, getattr(record, table.key))

    def delete(self, kind: type[Any], key: object) -> None:
        """Remove a record."""
        mapping, table = self._of(kind)
        self._session.delete(table, key)
        self._altered(mapping, table, key)

    def _altered(self, mapping: RecordTable[Any], table: Table, key: object) -> None:
        """Note that an index has to look at a live record again; twins are noted when they take its place."""
        if is_indexed(mapping.kind) and table == mapping.table:
            note(self._session, mapping.kind, str(key))

    def _of(self, kind: type[T]) -> tuple[RecordTable[T], Table]:
        table = self._places.get(kind)
        if table is None:
            raise Undeclared(
                f"projection {self._projection} uses {kind.__name__}, which is none of its records",
                hint=f"it keeps: {', '.join(k.__name__ for k in self._places)}; add it to records=[...] if it should",
            )
        return table_of(kind), table


def compile_fold(projection: Projection, among: Sequence[Projection] = ()) -> Fold:
    """Compile a projection's handlers.

    Args:
        projection: What to compile.
        among: All projections of its service.
    """
    return Fold(
        name=projection.name,
        version=projection.version,
        partial=projection.partial,
        steps={id_: step for hearing in projection.hearings for id_, step in _steps(hearing)},
        live={kind: table_of(kind).table for kind in projection.records},
        source=projection.source,
        elsewhere=frozenset(
            id_ for other in among if other is not projection for h in other.hearings for id_ in h.heard
        ),
    )


async def begin(store: Store, fold: Fold) -> None:
    """Make the checkpoint of a projection that has none."""
    async with store.session() as session:
        if await session.get(CHECKPOINTS.table, fold.name) is not None:
            return
    try:
        async with store.session() as session:
            session.insert(CHECKPOINTS.table, write(Checkpoint(name=fold.name, version=fold.version)))
    except Conflict:  # another replica was quicker
        return


async def checkpoint(session: Session, fold: Fold, *, lock: bool = False) -> Checkpoint:
    """Read how far a projection has come; who holds it alone may write the projection's records."""
    row = await session.get(CHECKPOINTS.table, fold.name, lock=lock)
    return Checkpoint(name=fold.name, version=fold.version) if row is None else read(row, Checkpoint)


async def advance(store: Store, fold: Fold, limit: int = BATCH) -> Folded:
    """Fold up to `limit` more events into the live records, with the checkpoint; return how far that came."""
    async with store.session() as session, asyncio.timeout(TIMEOUT):
        return await further(session, fold, await checkpoint(session, fold, lock=True), limit)


async def further(session: Session, fold: Fold, at: Checkpoint, limit: int, upto: int | None = None) -> Folded:
    """Fold up to `limit` events above a checkpoint that the session holds, and note how far that comes."""
    entries = await journal.entries(session, above=at.position, upto=upto, types=fold.types, limit=limit)
    folded = await apply(session, fold, fold.live, entries)
    if folded.last is not None:
        after = msgspec.structs.replace(
            at, position=folded.position, events=at.events + folded.events, time=folded.last.time, failures=0, error=""
        )
        session.put(CHECKPOINTS.table, write(after))
    return folded


async def fail(store: Store, fold: Fold, reason: str) -> Checkpoint:
    """Record that the next event could not be folded."""
    async with store.session() as session:
        before = await checkpoint(session, fold, lock=True)
        after = msgspec.structs.replace(before, failures=before.failures + 1, error=reason)
        session.put(CHECKPOINTS.table, write(after))
    return after


async def apply(session: Session, fold: Fold, places: Places, entries: Sequence[Entry]) -> Folded:
    """Fold events into the records at `places`."""
    records = Records(session, fold.name, places)
    for entry, data in zip(entries, await _opened(session, fold, entries), strict=True):
        step = fold.steps[entry.type]
        await step.handler(**{step.event: step.codec.decode(data), step.model: records})
    last = entries[-1] if entries else None
    traces = tuple(dict.fromkeys(entry.trace for entry in entries if entry.trace))
    return Folded(position=(last and last.position) or 0, events=len(entries), last=last, traces=traces)


async def _opened(session: Session, fold: Fold, entries: Sequence[Entry]) -> list[bytes]:
    """Unseal what is personal, within the session: another one would wait for locks on persons that this one holds."""
    sealed = [entry for entry in entries if fold.steps[entry.type].personal]
    if not sealed:
        return [entry.data for entry in entries]
    opened = iter(await opener_of(session).open([(entry.type, entry.data) for entry in sealed]))
    return [next(opened) if fold.steps[entry.type].personal else entry.data for entry in entries]


def _steps(hearing: Hearing) -> list[tuple[str, Step]]:
    names = roles(hearing)
    readers: list[tuple[str, codec.Codec[Any], type]] = [(hearing.event.id, codec.Codec(hearing.kind), hearing.kind)]
    readers += [(chain.event.id, Upcasting(chain), chain.kind) for chain in hearing.chains]
    return [
        (
            id_,
            Step(
                handler=hearing.handler,
                codec=reader,
                event=names.event,
                model=names.model,
                personal=bool(marks_of(kind)),
            ),
        )
        for id_, reader, kind in readers
    ]
