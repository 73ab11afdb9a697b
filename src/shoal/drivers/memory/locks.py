"""Locks on single rows, held until a transaction ends; a deadlock is found before it is waited in."""

import asyncio
from collections import deque
from collections.abc import Hashable

from shoal.errors import Contended

Owner = object
"""A transaction, by identity."""


class RowLocks:
    """Who holds which row, and who waits for it in line."""

    def __init__(self) -> None:
        self._holders: dict[Hashable, Owner] = {}
        self._lines: dict[Hashable, deque[tuple[Owner, asyncio.Future[None]]]] = {}
        self._wanted: dict[int, Hashable] = {}

    async def take(self, row: Hashable, owner: Owner) -> None:
        """Wait until `owner` holds `row`; `Contended` when that would never happen."""
        if self._holders.setdefault(row, owner) is owner:
            return
        if self._waits_for(row, owner):
            raise Contended(f"deadlock over {row}", hint="try the whole transaction again")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(row, deque()).append((owner, turn))
        self._wanted[id(owner)] = row
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass(row)
            raise
        finally:
            self._wanted.pop(id(owner), None)

    def free(self, row: Hashable, owner: Owner) -> bool:
        """Say whether `owner` would get `row` at once."""
        return self._holders.get(row, owner) is owner

    def held(self, owner: Owner) -> frozenset[Hashable]:
        """List the rows that `owner` holds."""
        return frozenset(row for row, holder in self._holders.items() if holder is owner)

    def leave(self, owner: Owner, keep: frozenset[Hashable] = frozenset()) -> None:
        """Let go of every row that `owner` holds, but for those in `keep`."""
        for row in self.held(owner) - keep:
            self._pass(row)

    def _pass(self, row: Hashable) -> None:
        line = self._lines.get(row, deque())
        while line:
            owner, turn = line.popleft()
            if not turn.done():
                self._holders[row] = owner
                self._wanted.pop(id(owner), None)  # before its task runs: nobody shall follow it in a ring
                turn.set_result(None)
                break
        else:
            self._holders.pop(row, None)
        if not line:
            self._lines.pop(row, None)

    def _waits_for(self, row: Hashable, owner: Owner) -> bool:
        """Follow holders to the rows they wait for, and see whether that leads back to `owner`."""
        wanted: Hashable | None = row
        while wanted is not None:
            holder = self._holders.get(wanted)
            if holder is owner:
                return True
            wanted = self._wanted.get(id(holder))
        return False
