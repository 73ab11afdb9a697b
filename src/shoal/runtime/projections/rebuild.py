"""Build a read model anew from the journal, beside the live one, and put it in its place.

Live handling goes on all the while. Only the last step holds the projection's checkpoint, and with it everybody who
would write its records: what the journal holds beyond the twin is folded, and the tables change places in one commit.
A rebuild that ends early has changed nothing that anybody reads; the next one begins from an empty twin.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import msgspec

from shoal.drivers.base import Lease, Session, Store
from shoal.errors import EngineError, Unavailable
from shoal.runtime.projections import fold, journal
from shoal.runtime.projections.fold import Fold, Folded, Places
from shoal.runtime.projections.tables import CHECKPOINTS, HEAD, Checkpoint, write
from shoal.runtime.projections.unread import require_read
from shoal.runtime.search.changes import note_all
from shoal.service.search import is_indexed

BATCH = 500
"""Events that are folded into a twin in one transaction."""

SWAPS = 10
"""Attempts to put the twin in its place while others read the table."""

Progress = Callable[[int, int], None]
"""Told how many of how many events are folded."""


class Twins(msgspec.Struct, frozen=True, kw_only=True):
    """Tables beside the live ones, and the right to them."""

    name: str
    places: Places
    lease: Lease

    def require(self) -> None:
        """Raise `Unavailable` once the right is lost: the tables may be another's."""
        if self.lease.lost.is_set():
            raise Unavailable(
                f"projection {self.name}: the right to build it anew was lost on the way, and nothing has changed",
                hint="see that its store answers, then begin again",
            )


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuild did."""

    name: str
    generation: int
    position: int
    events: int
    rows_before: Mapping[str, int]
    """Records by table."""
    rows: Mapping[str, int]


async def rebuild(store: Store, each: Fold, progress: Progress = lambda _done, _total: None) -> Rebuilt:
    """Build a projection's records anew and put them in place of the live ones.

    Raises:
        DeclarationError: The journal holds versions of its events that it no longer reads.
        EngineError: A table cannot have a twin, or `Unavailable` when others kept it in use for too long, or when
            another process may have begun a rebuild, too.
    """
    await require_read(store, each)
    await fold.begin(store, each)
    async with twins(store, each) as made:
        at = await fill(store, each, made, progress)
        for attempt in range(1, SWAPS + 1):
            at = await catch_up(store, each, made, at)
            try:
                return await _swap(store, each, made, at)
            except Unavailable:
                if attempt == SWAPS:
                    raise
                await asyncio.sleep(0.1 * attempt)
    raise RuntimeError("unreachable: the last attempt returns or raises")


@asynccontextmanager
async def twins(store: Store, each: Fold) -> AsyncIterator[Twins]:
    """Make a twin of each table for as long as the block lasts; one such block at a time."""
    async with store.lease(f"rebuild {each.name}") as lease:
        try:
            places = {kind: await store.twin(table) for kind, table in each.live.items()}
            yield Twins(name=each.name, places=places, lease=lease)
        finally:
            for table in () if lease.lost.is_set() else each.live.values():
                with suppress(EngineError):
                    await store.untwin(table)


async def fill(store: Store, each: Fold, made: Twins, progress: Progress, upto: int | None = None) -> Folded:
    """Fold the journal as it is now, or up to a place of it, into twins, in transactions of their own."""
    async with store.session() as session:
        counts = await journal.counts(session)
    head = counts[HEAD].count if HEAD in counts else 0
    total = sum(counts[type_].count for type_ in each.types if type_ in counts)
    at = Folded()
    progress(0, total)
    while (after := await _some(store, each, made, at, head if upto is None else upto)) is not at:
        at = after
        progress(at.events, max(total, at.events))
    return at


async def catch_up(store: Store, each: Fold, made: Twins, at: Folded, upto: int | None = None) -> Folded:
    """Fold what came meanwhile, until little is left for the last step."""
    while True:
        after = await _some(store, each, made, at, upto)
        if after.events - at.events < fold.BATCH:
            return after
        at = after


async def rest(session: Session, each: Fold, places: Places, at: Folded, upto: int) -> Folded:
    """Fold what is left up to a place, within the last step."""
    while True:
        entries = await journal.entries(session, at.position, upto, each.types, BATCH)
        if not entries:
            return at
        at = _add(at, await fold.apply(session, each, places, entries))


async def _some(store: Store, each: Fold, made: Twins, at: Folded, upto: int | None) -> Folded:
    made.require()
    async with store.session() as session, asyncio.timeout(fold.TIMEOUT):
        entries = await journal.entries(session, at.position, upto, each.types, BATCH)
        if not entries:
            return at
        return _add(at, await fold.apply(session, each, made.places, entries))


def _add(at: Folded, more: Folded) -> Folded:
    return more if not more.events else msgspec.structs.replace(more, events=at.events + more.events)


async def _swap(store: Store, each: Fold, made: Twins, at: Folded) -> Rebuilt:
    async with store.session() as session:
        before = await fold.checkpoint(session, each, lock=True)
        at = await rest(session, each, made.places, at, max(before.position, at.position))
        rows_before = await rows_of(session, each, each.live)
        rows = await rows_of(session, each, made.places)
        made.require()
        for kind, table in each.live.items():
            await session.replace(table, made.places[kind])
            if is_indexed(kind):
                note_all(session, kind)
        generation = before.generation + 1
        time: datetime | None = at.last.time if at.last is not None else None
        after = Checkpoint(
            name=each.name, version=each.version, generation=generation, position=max(before.position, at.position),
            events=at.events, time=time,
        )  # fmt: skip
        session.put(CHECKPOINTS.table, write(after))
    return Rebuilt(
        name=each.name, generation=generation, position=after.position, events=at.events, rows_before=rows_before,
        rows=rows,
    )  # fmt: skip


async def rows_of(session: Session, each: Fold, places: Places) -> Mapping[str, int]:
    """Count the records at `places`, by the names of the live tables."""
    return {table.name: await session.count(places[kind], {}) for kind, table in each.live.items()}
