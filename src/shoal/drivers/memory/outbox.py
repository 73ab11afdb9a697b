"""The outbox of a store in memory, as the one that may empty it sees it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shoal.drivers.base import Announced, Pending, Sent
from shoal.drivers.memory.leases import MemoryLease
from shoal.drivers.memory.state import Entry, State
from shoal.errors import Unavailable


class MemoryOutbox:
    """A `base.OutboxLease`."""

    def __init__(self, state: State, lease: MemoryLease) -> None:
        self._state, self._lease = state, lease

    async def pending(self, limit: int, besides: Sequence[int] = ()) -> Sequence[Pending]:
        """Read the oldest waiting rows."""
        outbox = self._held()
        away = frozenset(besides)
        waiting = [position for position in self._state.waiting() if position not in away][:limit]
        return [Pending(position=position, message=outbox[position].message) for position in waiting]

    async def sent(self, rows: Sequence[Sent]) -> None:
        """Mark rows as sent."""
        outbox = self._held()
        for row in rows:
            entry = outbox.get(row.position)
            if entry is not None and entry.waits:
                entry.sequence = row.sequence
                self._state.highest = max(self._state.highest, row.sequence)

    async def refuse(self, position: int, reason: str) -> None:
        """Set a row aside."""
        entry = self._held().get(position)
        if entry is not None and entry.waits:
            entry.refused = reason

    async def reprieve(self) -> int:
        """Let refused rows wait again."""
        refused = [entry for entry in self._held().values() if entry.refused]
        for entry in refused:
            entry.refused = ""
        return len(refused)

    async def meet(self, made: str) -> int:
        """Compare with what was noted, and let rows wait again."""
        self._held()
        known, self._state.made = self._state.made, made
        return await self.forget(-1) if known not in ("", made) else 0

    async def highest(self) -> int:
        """Look for the highest sequence."""
        self._held()
        return self._state.highest

    async def forget(self, above: int) -> int:
        """Let rows wait again."""
        gone = [e for e in self._held().values() if e.sequence is not None and e.sequence > above]
        for entry in gone:
            entry.sequence = None
        self._state.highest = min(self._state.highest, max(0, above))
        return len(gone)

    async def rivals(self) -> bool:
        """Look for others in line."""
        self._held()
        return self._state.rights.awaited("outbox")

    async def tidy(self, window: timedelta) -> None:
        """Let go of what is old."""
        outbox, horizon = self._held(), self._state.clock() - window.total_seconds()
        for position in [p for p, e in outbox.items() if e.sequence is not None and e.created_at < horizon]:
            del outbox[position]
        self._state.inbox -= {mark for mark in self._state.inbox if mark.at.timestamp() < horizon}
        for key in [key for key, at in self._state.answered.items() if at < horizon]:
            del self._state.answered[key], self._state.receipts[key]

    def _held(self) -> dict[int, Entry]:
        if self._lease.lost.is_set():
            raise Unavailable("the right to empty the outbox was lost", hint="ask for it again")
        return self._state.outbox


def announced(position: int, entry: Entry) -> Announced:
    """Show a row to an auditor."""
    message = entry.message
    return Announced(
        position=position, id=message.id, subject=message.subject, key=message.key, refused=entry.refused,
        at=datetime.fromtimestamp(entry.created_at, UTC), sequence=entry.sequence,
    )  # fmt: skip
