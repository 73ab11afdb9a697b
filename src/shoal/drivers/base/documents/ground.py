"""What the transactions of one process on an engine of documents share: the engine, and where its tables are."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec

from shoal.drivers.base import Query, Table
from shoal.drivers.base.documents import places
from shoal.drivers.base.documents.engine import Document, Engine, Hold, Numbered, Refused, Write
from shoal.drivers.base.documents.locks import Keeper
from shoal.drivers.base.documents.places import Standing, Swap
from shoal.drivers.base.documents.tables import PLACES
from shoal.drivers.base.documents.turns import Turns
from shoal.errors import Contended, EngineError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ground:
    """The engine, who keeps its locks and leaves them to others, and where tables are there."""

    engine: Engine
    keeper: Keeper
    turns: Turns
    now: Callable[[], datetime]
    declared: set[str] = field(default_factory=set)
    """Tables whose place was made."""
    standing: dict[str, Standing] = field(default_factory=dict)
    """Where the tables that move were when somebody last looked."""

    async def declare(self, table: Table) -> None:
        """Make the place of a table, once in a process."""
        if table.moves:
            table = (await self.stands(table)).here
        if table.name not in self.declared:
            await self.engine.declare(table, table.indexes)
            self.declared.add(table.name)

    async def stands(self, table: Table) -> Standing:
        """Say where a table that moves was, as far as is known."""
        return self.standing.get(table.name) or await self.look(table)

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read documents by key, where the table is."""
        return await self._ask(table, lambda here: self.engine.read(here, keys))

    async def search(self, table: Table, query: Query) -> Sequence[Document]:
        """Read what a query means, where the table is."""
        return await self._ask(table, lambda here: self.engine.search(here, query))

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count what matches, where the table is."""
        return await self._ask(table, lambda here: self.engine.count(here, where))

    async def commit(
        self,
        writes: Sequence[Write],
        hold: Hold | None,
        last: Numbered | None,
        swaps: Sequence[Swap] = (),
        stood: Sequence[Standing] = (),
    ) -> None:
        """Commit to the places where tables are, if some still are where they `stood`, and let twins take places."""
        moving = {write.table.name: write.table for write in writes if write.table.moves}
        moving |= {one.table.name: one.table for one in stood}
        twins = {swap.table.name: swap.twin for swap in swaps}
        while True:
            stand = {name: await self.look(table) for name, table in moving.items()}
            if any(stand[one.table.name].place != one.place for one in stood):
                raise Contended("a read model was built anew while it was read", hint="try again")
            said = [one.write() for name, one in stand.items() if name not in twins]
            said += [swap.said() for swap in swaps]
            here = {name: one.here for name, one in stand.items()} | twins
            try:
                await self.engine.commit([*said, *(_moved(write, here) for write in writes)], hold, last)
            except Refused as refused:
                if refused.table != PLACES.name:
                    names = {place.name: name for name, place in here.items()}
                    raise Refused(names.get(refused.table, refused.table), refused.held, refused.column) from refused
                if swaps:
                    raise Contended("another process says where the table is", hint="try again") from refused
            else:
                return

    async def look(self, table: Table) -> Standing:
        """Look where a table is that moves."""
        found = self.standing[table.name] = await places.look(self.engine, table)
        return found

    async def _ask(self, table: Table, ask: Callable[[Table], Awaitable[T]]) -> T:
        """Ask where a table is, and again if it was elsewhere by the time of the answer."""
        if not table.moves:
            await self.declare(table)
            return await ask(table)
        while True:
            here = (await self.stands(table)).here
            await self.declare(here)
            try:
                found = await ask(here)
            except EngineError:
                if (await self.look(table)).place == here.name:
                    raise
            else:
                if (await self.look(table)).place == here.name:
                    return found


def _moved(write: Write, here: Mapping[str, Table]) -> Write:
    return msgspec.structs.replace(write, table=here[write.table.name]) if write.table.moves else write
