"""The latest event of each type, as the service's store keeps it: an answer made before it is old.

The mark is committed with the effect of the event, so who reads the mark before the data can never keep old data under
a new mark.
"""

import asyncio
import time

from shoal.drivers.base import OwnTable, Query, Store
from shoal.errors import EngineError

ENDS = OwnTable(name="cache_ends", key="part", columns=(("part", "text"), ("event", "text"), ("latest", "text")))
"""One row for each part of each event type: parts are worked off one after the other, so that nobody waits."""

LOOK = 0.25
"""Seconds for which one look at the marks serves every request of a process: so much older may an answer be."""

Marks = dict[str, tuple[str, ...]]
"""Event id → the latest event of each part."""


class Ends:
    """Looks at the marks, for all caches of one process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marks: Marks = {}
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def marks(self, events: tuple[str, ...]) -> tuple[tuple[str, ...], ...] | None:
        """Return the marks of some events; None when the store does not tell, so that nothing may be kept."""
        if time.monotonic() >= self._until:
            async with self._lock:
                if time.monotonic() >= self._until and not await self._look():
                    return None
        return tuple(self._marks.get(event, ()) for event in events)

    async def _look(self) -> bool:
        began = time.monotonic()
        try:
            async with self._store.session() as session:
                rows = await session.find(ENDS.table, Query())
        except EngineError:
            return False
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(str(row["event"]), []).append(f"{row['part']}={row['latest']}")
        self._marks = {event: tuple(sorted(parts)) for event, parts in found.items()}
        self._until = began + LOOK
        return True
