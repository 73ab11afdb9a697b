"""Firestore as an engine of documents: one collection for each type, and others for what a commit depends on."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shoal.drivers.base import Query, Row, Table, matching
from shoal.drivers.base.documents.engine import Document, Hold, Numbered, Refused, Write
from shoal.drivers.base.documents.folding import fold
from shoal.drivers.base.documents.tables import OUTBOX
from shoal.drivers.base.pauses import Pauses
from shoal.drivers.firestore import values
from shoal.drivers.firestore.commits import COUNTERS, Commit
from shoal.drivers.firestore.link import Collided, Link
from shoal.drivers.firestore.locks import Locks
from shoal.drivers.firestore.values import Json
from shoal.errors import Contended, Unavailable

OPENING, PINGING = 5.0, 1.0
"""Seconds for the first answer, and for a sign of life."""

PATIENCE = 10.0
"""Seconds for a commit that collides with others."""


class Raw(NamedTuple):
    """Firestore's own interface, and where the documents of a type are in it."""

    link: Link
    """Asks for any operation: ``await raw.link.ask("runQuery", {"structuredQuery": ...})``."""
    collection: str


class FirestoreEngine:
    """A `documents.engine.Engine`."""

    step = 200

    def __init__(self, link: Link) -> None:
        self._link, self._locks = link, Locks(link)
        self._turn = asyncio.Lock()
        self.take, self.renew, self.release = self._locks.take, self._locks.renew, self._locks.release
        self.holders, self.beginning, self.forget = self._locks.holders, self._locks.beginning, self._locks.forget

    def raw(self, table: Table) -> Raw:
        """Return the client, and the collection."""
        return Raw(self._link, table.name)

    async def open(self) -> None:
        """Connect."""
        await self._sign(OPENING)

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._sign(PINGING)

    async def _sign(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._link.look([self._link.path(COUNTERS, "ping")])
        except TimeoutError:
            raise Unavailable(f"Firestore did not answer within {seconds:g} s", hint="look whether it runs") from None

    async def close(self) -> None:
        """Let go of every connection."""
        await self._link.close()

    async def declare(self, table: Table, indexes: Sequence[Sequence[str]] = ()) -> None:
        """Do nothing: collections are there when they are written to, and each field has an index of its own."""

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read by key."""
        paths = [*dict.fromkeys(self._link.path(table.name, values.name(key)) for key in keys)]
        found = (await self._link.look(paths)).documents if paths else {}
        return [values.document(table, one) for one in found.values()]

    async def search(self, table: Table, query: Query) -> Sequence[Document]:
        """Have Firestore choose by what its own indexes know, and do the rest here."""
        if query.limit == 0:
            return []
        keys = _keys(table, query)
        found = await self.read(table, keys) if keys is not None else await self._ask(table, query)
        by_row = {id(one.row): one for one in found if matching.matches(one.row, query)}
        rows: list[Row] = [one.row for one in by_row.values()]
        return [by_row[id(row)] for row in matching.arrange(table, query, rows)]

    async def _ask(self, table: Table, query: Query) -> list[Document]:
        found = await self._link.query(_words(table, query, self._link.path(table.name, "")))
        return [values.document(table, one) for one in found]

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count what matches."""
        return len(await self.search(table, Query(where=where)))

    async def commit(self, writes: Sequence[Write], hold: Hold | None = None, last: Numbered | None = None) -> None:
        """Do everything at once, again and again while others get in the way."""
        commit = Commit(
            intents=fold(writes, values.name), hold=hold, last=last, path=self._link.path, lock=self._locks.path
        )
        if last is None:
            await self._insist(commit)
            return
        async with self._turn:  # those of one process would only collide over the counter
            await self._insist(commit)

    async def _insist(self, commit: Commit) -> None:
        pauses = Pauses(PATIENCE, first=0.005, longest=0.2)
        while not await self._try(commit):
            if not await pauses.rest():
                raise Contended("others changed the same documents for too long", hint="try again later")

    async def _try(self, commit: Commit) -> bool:
        """Commit, or say that others were in the way."""
        known: dict[str, Json] = {}
        if paths := commit.first_look():
            known |= (await self._link.look(paths)).documents
        if paths := commit.second_look(known):
            known |= (await self._link.look(paths)).documents
        commit.compose(known, uuid.uuid4().hex)
        try:
            if commit.writes:
                await self._link.write(commit.writes)
        except Collided:
            return False
        return True

    async def remove(self, table: Table, query: Query) -> int:
        """Remove what matches if it is still the same, some at a time."""
        found, gone = await self.search(table, query), 0
        for first in range(0, len(found), self.step):
            gone += await self._take_out(table, found[first : first + self.step])
        return gone

    async def _take_out(self, table: Table, some: Sequence[Document]) -> int:
        try:
            await self.commit([Write(table=table, key=one.key, row=None, version=one.version) for one in some])
        except Refused:
            if len(some) == 1:
                return 0
            return sum([await self._take_out(table, [one]) for one in some])
        return len(some)

    async def drop(self, table: Table) -> None:
        """Remove all documents."""
        await self.remove(table, Query())

    async def number(self, counter: str, count: int) -> int:
        """Draw numbers from a counter."""
        drawn: list[int] = []

        def make(first: int) -> Sequence[Write]:
            drawn.append(first)
            return ()

        await self.commit((), None, Numbered(counter=counter, count=count, make=make))
        return drawn[-1]


def _words(table: Table, query: Query, root: str) -> Json:
    """Ask for what single indexes find: equal values, and a range of numbers as keys."""
    filters = [
        _filter(column, "EQUAL", values.value(wanted))
        for column, wanted in query.where.items()
        if wanted is not None and not isinstance(wanted, (tuple, list, float))
    ]
    above = query.above.get(table.key)
    if isinstance(above, int) and not isinstance(above, bool):
        filters.append(_filter("__name__", "GREATER_THAN", {"referenceValue": f"{root}{values.name(above)}"}))
    words: Json = {"from": [{"collectionId": table.name}]}
    if filters:
        words["where"] = {"compositeFilter": {"op": "AND", "filters": filters}}
    if (most := _most(table, query)) is not None:
        words |= {"orderBy": [{"field": {"fieldPath": "__name__"}}], "limit": most}
    return words


def _filter(column: str, op: str, value: Json) -> Json:
    return {"fieldFilter": {"field": {"fieldPath": column}, "op": op, "value": value}}


def _keys(table: Table, query: Query) -> list[object] | None:
    """Say which documents alone can be meant, if a query names them."""
    wanted = query.where.get(table.key, ...)
    if wanted is ...:
        return None
    keys = [*wanted] if isinstance(wanted, (tuple, list)) else [wanted]
    return [key for key in dict.fromkeys(keys) if key is not None]


def _most(table: Table, query: Query) -> int | None:
    """Say how many are enough: where they are asked for in the order of numbers, and by equal values alone."""
    bounds = {*query.above, *query.at_most, *query.below} - {table.key}
    vague = [wanted for wanted in query.where.values() if wanted is None or isinstance(wanted, (tuple, list))]
    if table.name != OUTBOX.name or query.limit is None or query.order or bounds or vague:
        return None
    return None if table.key in {*query.at_most, *query.below} else query.offset + query.limit
