"""Where the documents of a read model are. Built anew, it takes the place of the old one by one small write.

Documents never move: they lie in a place with a name of its own, and one document says which place the table's is. A
name is used once, so whoever was frozen while others went on writes to, or removes, what nobody reads any more.
"""

from contextlib import suppress
from uuid import uuid4

import msgspec

from shoal.drivers.base import Table
from shoal.drivers.base.documents.engine import Engine, Refused, Write
from shoal.drivers.base.documents.tables import PLACES
from shoal.errors import EngineError, Unavailable


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one table."""

    table: Table
    place: str
    """Name of the place where its documents are."""
    twin: str = ""
    """Of one that is being filled, and may take its place."""
    old: str = ""
    """Of one that is to be removed, and never comes back."""
    version: str
    """Of this."""

    @property
    def here(self) -> Table:
        """The table where its documents are."""
        return at(self.table, self.place)

    def write(self, **changed: str) -> Write:
        """Say so again, or something else, if nobody has said anything since."""
        row = {"name": self.table.name, "place": self.place, "twin": self.twin, "old": self.old, **changed}
        return Write(table=PLACES, key=self.table.name, row=row, version=self.version)


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A twin takes the place of a table."""

    known: Standing
    """What was said of it before."""
    twin: Table

    @property
    def table(self) -> Table:
        """Whose place."""
        return self.known.table

    def said(self) -> Write:
        """Say where the table is from now on."""
        return self.known.write(place=self.twin.name, twin="", old=self.known.place)


def at(table: Table, place: str) -> Table:
    """Name a table as the place where it is."""
    return msgspec.structs.replace(table, name=place, moves=False)


async def look(engine: Engine, table: Table) -> Standing:
    """Look where a table is; at first it is where its name says."""
    while not (found := await engine.read(PLACES, [table.name])):
        row = {"name": table.name, "place": table.name, "twin": "", "old": ""}
        with suppress(Refused):  # somebody else said so
            await engine.commit([Write(table=PLACES, key=table.name, row=row, how="insert")])
    place, twin, old = (str(found[0].row[name]) for name in ("place", "twin", "old"))
    return Standing(table=table, place=place, twin=twin, old=old, version=found[0].version)


async def twin(engine: Engine, table: Table) -> Table:
    """Make an empty twin, and let go of an earlier one."""
    if not table.moves:
        raise EngineError(f"the place of table {table.name} is for ever", hint="only records of a projection move")
    made = at(table, f"shoal.{table.name}@{uuid4().hex[:12]}")
    while True:
        await clean(engine, table)
        known = await look(engine, table)
        with suppress(Refused):  # somebody wrote to the table meanwhile
            if not known.twin:
                await engine.commit([known.write(twin=made.name)])
                await engine.declare(made, made.indexes)
                return made


def swap(known: Standing, twin: Table) -> Swap:
    """Let a twin take the place of a table, if it still is its twin."""
    if known.twin != twin.name:
        raise Unavailable(f"another process makes a twin of {known.table.name}", hint="begin again")
    return Swap(known=known, twin=twin)


async def clean(engine: Engine, table: Table) -> None:
    """Remove what is left of a twin, or of an older model; what is to be removed is said before."""
    while (known := await look(engine, table)).twin or known.old:
        with suppress(Refused):  # somebody else does this, too
            if known.old:
                await engine.drop(at(table, known.old))
                await engine.commit([known.write(old="")])
            else:
                await engine.commit([known.write(twin="", old=known.twin)])
