"""Build a read model anew from the journal, beside the live one, and put it in its place.

Live handling goes on all the while. Only the last step holds the projection's checkpoint, and with it everybody who
would write its records: what the journal holds beyond the twin is folded, in transactions of its own, since nobody
reads the twin yet, and the tables change places in one commit.
A rebuild that ends early has changed nothing that anybody reads; the next one begins from an empty twin.
"""

import asyncio
from collections.abc import Mapping

import msgspec

from shoal.drivers.base import Session, Store
from shoal.drivers.base.pauses import Pauses, insist
from shoal.errors import EngineError, Unavailable
from shoal.runtime.projections import fold
from shoal.runtime.projections.fold import Fold, Places
from shoal.runtime.projections.tables import CHECKPOINTS, Checkpoint, write
from shoal.runtime.projections.twins import Progress, Twins, catch_up, checkpoint, empty, fill, rest, twins
from shoal.runtime.projections.unread import require_read
from shoal.runtime.search.changes import note_all
from shoal.service.search import is_indexed

SWAPS = 10
"""Attempts to put the twin in its place while others read the table."""

PATIENCE = 20.0
"""Seconds for which a store that did not answer is asked whether the twin has taken its place."""


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
        await fill(store, made, progress)
        for attempt in range(1, SWAPS + 1):
            await catch_up(store, made)
            try:
                return await _swap(store, each, made)
            except Unavailable:
                if attempt == SWAPS:
                    raise
                await asyncio.sleep(0.1 * attempt)
    raise RuntimeError("unreachable: the last attempt returns or raises")


async def _swap(store: Store, each: Fold, made: Twins) -> Rebuilt:
    """Put the twin in its place; where nobody hears whether that was done, look."""
    done: Rebuilt | None = None
    try:
        async with store.session() as session:
            done = await _take_place(store, session, each, made)
    except Unavailable:
        expected = done
        if expected is None or not await insist(lambda: _is_live(store, each, made, expected), Pauses(PATIENCE)):
            raise
        return expected
    return done


async def _take_place(store: Store, session: Session, each: Fold, made: Twins) -> Rebuilt:
    before = await fold.checkpoint(session, each, lock=True)
    await rest(store, made, before.position)
    at = await made.reached(session)
    rows_before = await rows_of(session, each, each.live)
    rows = await rows_of(session, each, made.fold.live)
    for kind, table in each.live.items():
        await session.replace(table, made.fold.live[kind])
        if is_indexed(kind):
            note_all(session, kind)
    after = Checkpoint(
        name=each.name, version=each.version, generation=before.generation + 1,
        position=max(before.position, at.position), events=at.events, time=at.time,
    )  # fmt: skip
    session.put(CHECKPOINTS.table, write(after))
    session.put(CHECKPOINTS.table, write(empty(each, made.number + 1)))
    return Rebuilt(
        name=each.name, generation=after.generation, position=after.position, events=at.events,
        rows_before=rows_before, rows=rows,
    )  # fmt: skip


async def _is_live(store: Store, each: Fold, made: Twins, expected: Rebuilt) -> bool:
    """Say whether the twin has taken its place, once no transaction that might still do so is under way."""
    async with store.session() as session:
        live = await fold.checkpoint(session, each, lock=True)
        number = (await checkpoint(session, each)).generation
    if number == made.number:
        return False
    if (live.generation, number) == (expected.generation, made.number + 1):
        return True
    raise EngineError(
        f"projection {each.name}: another process builds it anew, and nobody knows whether this one had done so before",
        hint="wait for the other one: see `shoal projections`",
    )


async def rows_of(session: Session, each: Fold, places: Places) -> Mapping[str, int]:
    """Count the records at `places`, by the names of the live tables."""
    return {table.name: await session.count(places[kind], {}) for kind, table in each.live.items()}
