"""Tables beside the live ones of a projection, into which its events are folded once more.

Each fold commits with the twins' own checkpoint, so none is done twice, even if nobody heard whether it was done. That
checkpoint counts the twins that were ever made: whoever was frozen while others made new ones, or after its own have
become the live tables, finds another number there, and writes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec

from shoal.drivers.base import Lease, Session, Store
from shoal.errors import EngineError, Unavailable
from shoal.runtime.portions import Portion
from shoal.runtime.projections import fold, journal
from shoal.runtime.projections.fold import Fold
from shoal.runtime.projections.tables import CHECKPOINTS, HEAD, Checkpoint, read, write

BATCH = 500
"""Events that are folded into a twin in one transaction at most."""

Progress = Callable[[int, int], None]
"""Told how many of how many events are folded."""


class Twins(msgspec.Struct, frozen=True, kw_only=True):
    """A projection whose records are beside the live ones, and the right to them."""

    fold: Fold
    number: int
    """Counts those of its name."""
    lease: Lease
    batch: Portion
    """How many events are folded in one transaction."""

    async def reached(self, session: Session) -> Checkpoint:
        """Read and hold how far they have come; `Unavailable` once they are no longer ours."""
        at = await checkpoint(session, self.fold)
        if self.lease.lost.is_set() or at.generation != self.number:
            raise Unavailable(
                f"projection {self.fold.name}: the right to build it anew was lost on the way",
                hint="see that its store answers, then begin again",
            )
        return at


@asynccontextmanager
async def twins(store: Store, each: Fold) -> AsyncIterator[Twins]:
    """Make a twin of each table for as long as the block lasts; one such block at a time."""
    async with store.lease(f"rebuild {each.name}") as lease:
        try:
            number = await _begin(store, each)  # first, so that nobody else can write to what is made then
            places = {kind: await store.twin(table) for kind, table in each.live.items()}
            folded = msgspec.structs.replace(each, live=places)
            yield Twins(fold=folded, number=number, lease=lease, batch=Portion(BATCH))
        finally:
            for table in () if lease.lost.is_set() else each.live.values():
                with suppress(EngineError):
                    await store.untwin(table)


async def checkpoint(session: Session, each: Fold) -> Checkpoint:
    """Read and hold how far the latest twins have come."""
    row = await session.get(CHECKPOINTS.table, empty(each, 0).name, lock=True)
    return empty(each, 0) if row is None else read(row, Checkpoint)


def empty(each: Fold, number: int) -> Checkpoint:
    """Say that twins of this number hold nothing yet."""
    return Checkpoint(name=f"twin of {each.name}", version=each.version, generation=number)


async def fill(store: Store, made: Twins, progress: Progress, upto: int | None = None) -> None:
    """Fold the journal as it is now, or up to a place of it, in transactions of their own."""
    async with store.session() as session:
        counts = await journal.counts(session)
    head = counts[HEAD].count if HEAD in counts else 0
    total = sum(counts[type_].count for type_ in made.fold.types if type_ in counts)
    done = 0
    progress(0, total)
    while folded := (await _some(store, made, head if upto is None else upto))[0]:
        done += folded
        progress(done, max(total, done))


async def catch_up(store: Store, made: Twins, upto: int | None = None) -> None:
    """Fold what came meanwhile, until little is left for the last step: what came during one transaction."""
    full = True
    while full:
        folded, most = await _some(store, made, upto)
        full = folded == most


async def rest(store: Store, made: Twins, upto: int) -> None:
    """Fold what is left up to a place, while somebody keeps the live model from going on."""
    while (await _some(store, made, upto))[0]:
        pass


async def _some(store: Store, made: Twins, upto: int | None) -> tuple[int, int]:
    """Fold as much as one transaction takes; return how many events that were, and how many it would have taken."""

    async def fold_some(limit: int) -> tuple[int, int]:
        async with store.session() as session, asyncio.timeout(fold.TIMEOUT):
            folded = await fold.further(session, made.fold, await made.reached(session), limit, upto)
            return folded.events, limit

    return await made.batch.take(fold_some)


async def _begin(store: Store, each: Fold) -> int:
    """Take the next number; what was made under an earlier one is nobody's from now on."""
    async with store.session() as session:
        before = await checkpoint(session, each)
        keep = session.put if before.generation else session.insert  # nobody holds a row that is not there
        keep(CHECKPOINTS.table, write(empty(each, before.generation + 1)))
    return before.generation + 1
