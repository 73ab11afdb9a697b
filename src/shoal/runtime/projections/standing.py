"""Where projections stand: how far behind, since when, and with how many records."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from shoal.drivers.base import Session, Store
from shoal.runtime.projections import fold, journal
from shoal.runtime.projections.fold import Fold
from shoal.runtime.projections.tables import CHECKPOINTS, JOURNAL, PARKED, Checkpoint, Count

State = Literal["new", "live", "behind", "stalled", "outdated"]
"""``new`` has folded nothing yet; ``stalled`` failed at its next event; ``outdated`` was built by older handlers."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one projection stands."""

    name: str
    state: State
    version: int
    """Of the handlers that built it."""
    generation: int
    """Counts its rebuilds, from 1."""
    position: int
    """Place in the journal that it has reached."""
    events: int
    """Events that it has folded."""
    behind: int
    """Events in the journal that it has yet to fold."""
    waiting: int
    """Events of the service, for any of its projections, that have no place in the journal yet."""
    parked: int
    """Those of them whose predecessors are missing."""
    time: datetime | None
    """When the last event that it has folded was made."""
    rows: Mapping[str, int]
    """Records by table."""
    failures: int = 0
    """Attempts at its next event that have failed."""
    error: str = ""
    """Why the last of them did."""


async def standings(store: Store, folds: Sequence[Fold]) -> list[Standing]:
    """Say how projections stand."""
    async with store.session() as session:
        waiting = await session.count(JOURNAL.table, {"position": None})
        parked = await session.count(JOURNAL.table, {"ordinal": PARKED})
        counts = await journal.counts(session)  # after what waits: what gets its place meanwhile is seen, if only twice
        return [await _standing(session, each, counts, (waiting, parked)) for each in folds]


async def is_quiet(store: Store, folds: Sequence[Fold]) -> bool:
    """Tell whether everything that can be folded is; what is parked or stalled cannot."""
    found = await standings(store, folds)
    return all(s.waiting <= s.parked and (s.behind == 0 or s.state == "stalled") for s in found)


async def _standing(session: Session, each: Fold, counts: Mapping[str, Count], unplaced: tuple[int, int]) -> Standing:
    row = await session.get(CHECKPOINTS.table, each.name)
    at = await fold.checkpoint(session, each)
    behind = max(0, sum(counts[type_].count for type_ in each.types if type_ in counts) - at.events)
    rows = {table.name: await session.count(table, {}) for table in each.live.values()}
    return Standing(
        name=each.name, state=_state(each, at, behind) if row is not None else "new", version=at.version,
        generation=at.generation, position=at.position, events=at.events, behind=behind, waiting=unplaced[0],
        parked=unplaced[1], time=at.time, rows=rows, failures=at.failures, error=at.error,
    )  # fmt: skip


def _state(each: Fold, at: Checkpoint, behind: int) -> State:
    if at.error:
        return "stalled"
    if at.version != each.version:
        return "outdated"
    return "behind" if behind else "live"
