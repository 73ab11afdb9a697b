"""Exclusive rights, as a process holds and asks for them; an engine only says who has which, and gives and takes.

One task looks, again and again, as long as the process holds or asks for anything: it gives back what was returned,
sees who else there is, and takes its share of what is free.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager

from shoal.drivers.base import shares
from shoal.drivers.base.shares import Balance
from shoal.errors import EngineError, Unavailable

ASKING, RESTING = 0.25, 1.0
"""Seconds between looks, with something to wait for and without."""

OVERDUE = 2.0
"""Seconds that a right may stay free because it is somebody else's turn."""


class HeldLease:
    """A `base.Lease`."""

    def __init__(self, name: str, group: str) -> None:
        self.name, self.group = name, group
        self.lost = asyncio.Event()
        self.wanted = asyncio.Event()
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.free_since: float | None = None


class Leases(ABC):
    """The rights that one process holds or asks for.

    Args:
        engine: What messages call the engine.
        patience: Seconds for one look, after which rights count as lost; less than the engine keeps them for somebody
            who is silent.
    """

    def __init__(self, engine: str, patience: float) -> None:
        self._engine_name, self._patience = engine, patience
        self.asked: list[HeldLease] = []
        self.held: list[HeldLease] = []
        self.returned: list[str] = []
        self.known: dict[str, set[str]] = {}
        """Every right of a group that was asked for here; of those not asked for now others may have their share."""
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @asynccontextmanager
    async def hold(self, name: str, group: str) -> AsyncIterator[HeldLease]:
        """Wait for a right and keep it until the block ends."""
        if self._closed:
            raise EngineError("the store is closed", hint="open it first and close it last")
        lease = HeldLease(name, group)
        self.known.setdefault(group, set()).add(name)
        self.asked.append(lease)
        self._stir()
        try:
            await lease.granted
            yield lease
        finally:
            self._give_back(lease)

    def close(self) -> None:
        """Let go of everything."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()

    @abstractmethod
    async def connect(self) -> None:
        """Prepare to look."""

    @abstractmethod
    async def look(self) -> None:
        """Give back `returned`, be seen in the groups of what is asked and held, and `serve` each of them."""

    @abstractmethod
    async def take(self, names: Collection[str]) -> Iterable[str]:
        """Take those of some rights that are free, and name them."""

    @abstractmethod
    def leave(self) -> None:
        """Leave nothing behind, whatever happened."""

    async def serve(self, group: str, taken: Collection[str], balance: Balance) -> None:
        """Take our share of the rights of a group, and see whether others should have one of ours.

        Args:
            group: Its name; empty for rights that nobody shares.
            taken: Rights that somebody holds.
            balance: Where we stand.
        """
        chosen = {lease.name: lease for lease in self._choose(group, taken, shares.take(balance))}
        for name in await self.take([*chosen]) if chosen else ():
            self._grant(chosen[name])
        self._want_back(group, shares.give(balance) if group else 0)

    def of(self, group: str) -> list[HeldLease]:
        """List what we hold of a group."""
        return [lease for lease in self.held if lease.group == group]

    def groups(self) -> set[str]:
        """Name the groups of which we hold or ask for something."""
        return {lease.group for lease in (*self.asked, *self.held)}

    def _stir(self) -> None:
        self._news.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def _give_back(self, lease: HeldLease) -> None:
        if lease in self.asked:
            self.asked.remove(lease)
        elif lease in self.held:
            self.held.remove(lease)
            self.returned.append(lease.name)
        self._news.set()

    async def _run(self) -> None:
        """Serve who asks and holds, until there is nobody or the engine is gone."""
        failure = EngineError("the store was closed")
        try:
            await self.connect()
            while self.asked or self.held or self.returned:
                self._news.clear()
                async with asyncio.timeout(self._patience):
                    await self.look()
                await self._rest()
        except EngineError as error:
            failure = error
        except TimeoutError:
            failure = Unavailable(
                f"{self._engine_name} did not answer within {self._patience:g} s", hint="ask for the right again"
            )
        finally:
            self._lose(failure)
            self.leave()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(ASKING if self.asked else RESTING):
                await self._news.wait()
        except TimeoutError:
            return

    def _lose(self, failure: EngineError) -> None:
        for lease in self.held:
            lease.lost.set()
        for lease in self.asked:
            if not lease.granted.done():
                lease.granted.set_exception(failure)
        self.asked, self.held, self.returned = [], [], []

    def _choose(self, group: str, taken: Collection[str], share: int) -> list[HeldLease]:
        """Choose what to take: what nobody has, up to our share, and what nobody took although it was their turn."""
        now = asyncio.get_running_loop().time()
        chosen: list[HeldLease] = []
        for lease in [lease for lease in self.asked if lease.group == group]:
            if lease.name in taken:
                lease.free_since = None
                continue
            lease.free_since = lease.free_since or now
            if len(chosen) < share or not group or now - lease.free_since > OVERDUE:
                chosen.append(lease)
        return chosen

    def _grant(self, lease: HeldLease) -> None:
        if lease not in self.asked or lease.granted.done():  # it gave up while we asked
            self.returned.append(lease.name)
            self._news.set()
            return
        self.asked.remove(lease)
        self.held.append(lease)
        lease.granted.set_result(None)

    def _want_back(self, group: str, number: int) -> None:
        held = self.of(group)
        for lease in held[: max(0, number - sum(lease.wanted.is_set() for lease in held))]:
            lease.wanted.set()
