"""What a store in memory holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf

from shoal.drivers.base import Mark, Message, Migration, Receipt, Row
from shoal.drivers.memory.leases import Rights
from shoal.drivers.memory.locks import RowLocks

Clock = Callable[[], float]
"""Seconds since whenever."""


@dataclass(slots=True)
class Entry:
    """One row of the outbox."""

    message: Message
    created_at: float
    sequence: int | None = None
    refused: str = ""

    @property
    def waits(self) -> bool:
        """Whether it is to be sent."""
        return self.sequence is None and not self.refused


@dataclass(slots=True)
class State:
    """What is committed, and who holds what."""

    clock: Clock
    tables: dict[str, dict[object, Row]] = field(default_factory=dict)
    versions: dict[tuple[str, object], str] = field(default_factory=dict)
    """Of each row; another one after each write."""
    outbox: dict[int, Entry] = field(default_factory=dict)
    inbox: set[Mark] = field(default_factory=set)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    migrations: dict[int, Migration] = field(default_factory=dict)
    locks: RowLocks = field(default_factory=RowLocks)
    rights: Rights = field(default_factory=Rights)
    highest: int = 0
    """Highest place in the stream that was ever acknowledged."""
    made: str = ""
    """When that stream was made."""
    answered: dict[str, float] = field(default_factory=dict)
    """When each receipt was recorded."""
    positions: "count[int]" = field(default_factory=lambda: count(1))
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    """Of versions."""

    def next_position(self) -> int:
        """Give out a position: in order of asking, which is not the order of committing."""
        return next(self.positions)

    def commit(
        self,
        changes: Mapping[str, Mapping[object, Row | None]],
        outbox: Sequence[tuple[int, Message]],
        inbox: set[Mark],
        receipts: Mapping[str, Receipt],
    ) -> None:
        """Make everything of a transaction true in one step."""
        for name, rows in changes.items():
            table = self.tables.setdefault(name, {})
            for key, row in rows.items():
                if row is None:
                    table.pop(key, None)
                    self.versions.pop((name, key), None)
                else:
                    table[key] = row
                    self.versions[name, key] = str(next(self.numbers))
        now = self.clock()
        self.outbox.update({position: Entry(message, now) for position, message in outbox})
        self.inbox |= inbox
        self.receipts.update(receipts)
        self.answered.update({key: inf if receipt.lasting else now for key, receipt in receipts.items()})

    def waiting(self) -> list[int]:
        """List the positions that wait, in order; what follows a refused row of its key is none of them."""
        behind = {entry.message.key for entry in self.outbox.values() if entry.refused} - {""}
        return sorted(p for p, entry in self.outbox.items() if entry.waits and entry.message.key not in behind)
