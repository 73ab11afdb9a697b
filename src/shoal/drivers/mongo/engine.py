"""MongoDB as an engine of documents."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from shoal.drivers.base import Query, Table
from shoal.drivers.base.documents.engine import Document, Hold, Numbered, Refused, Write
from shoal.drivers.mongo import asking, codes, values
from shoal.drivers.mongo.client import (
    FOR_LOCKS,
    OPTIONS,
    AsyncClientSession,
    AsyncCollection,
    AsyncMongoClient,
    BulkWriteError,
    Collision,
    DuplicateKeyError,
    Json,
    OperationFailure,
    PyMongoError,
    ReadConcern,
    ReturnDocument,
    WriteConcern,
    borders,
)
from shoal.drivers.mongo.locks import Locks
from shoal.drivers.mongo.sessions import Sessions
from shoal.drivers.mongo.writes import Commit, Group, groups, refusal
from shoal.errors import Contended, Unavailable

OPENING, PINGING = 5.0, 1.0
"""Seconds for the first answer, and for a sign of life."""

PATIENCE = 10.0
"""Seconds for a commit that collides with others."""

LONGEST = 20.0
"""Seconds for one question."""

_LOCKS, _COUNTERS, _SESSIONS = "shoal.locks", "shoal.counters", "shoal.sessions"
_MANY = 1_000


class MongoEngine:
    """A `documents.engine.Engine`."""

    step = _MANY

    def __init__(self, url: str, database: str) -> None:
        self._url, self._name = url, database
        self._made: list[AsyncMongoClient[Json]] = []
        self._sessions = Sessions(lambda: self._clients()[1][self._name][_SESSIONS])
        locks = Locks(lambda: self._clients()[1][self._name][_LOCKS])
        self.take, self.renew, self.release, self.forget = locks.take, locks.renew, locks.release, locks.forget
        self.holders, self.beginning = locks.holders, locks.beginning

    @property
    def _client(self) -> AsyncMongoClient[Json]:
        return self._clients()[0]

    def _clients(self) -> list[AsyncMongoClient[Json]]:
        if not self._made:
            self._made = [AsyncMongoClient(self._url, **options) for options in (OPTIONS, FOR_LOCKS)]
        return self._made

    def _of(self, name: str) -> AsyncCollection[Json]:
        return self._client[self._name].get_collection(name, read_concern=ReadConcern("majority"))

    async def open(self) -> None:
        """Connect, and look after the sessions of processes that die."""
        await self._ask(OPENING)
        self._sessions.watch()

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._ask(PINGING)

    async def _ask(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                with borders("asking"):
                    await self._client.admin.command("ping")
        except TimeoutError:
            raise Unavailable(f"MongoDB did not answer within {seconds:g} s", hint="look whether it runs") from None

    async def close(self) -> None:
        """Let go of every connection."""
        self._sessions.close()
        for client in self._made:
            with contextlib.suppress(TimeoutError, PyMongoError):  # it says goodbye to a server that may be gone
                async with asyncio.timeout(PINGING):
                    await client.close()

    def raw(self, table: Table) -> AsyncCollection[Json]:
        """Return the collection."""
        return self._of(table.name)

    async def declare(self, table: Table, indexes: Sequence[Sequence[str]] = ()) -> None:
        """Make the collection and its indexes."""
        with borders(f"making {table.name}"):
            await self._make(table.name)
            await self._of(_LOCKS).create_index("owner")
            for column in sorted(table.unique):
                some = {column: {"$type": ["string", "number", "bool", "object", "binData"]}}
                await self._of(table.name).create_index(column, unique=True, partialFilterExpression=some)
            for columns in indexes:
                names = [("_id" if column == table.key else column, 1) for column in columns]
                await self._of(table.name).create_index(names)

    async def _make(self, name: str) -> None:
        try:
            await self._client[self._name].create_collection(name, check_exists=False)
        except OperationFailure as error:
            if error.code != codes.EXISTS:
                raise

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read by key, some at a time."""
        wanted = [values.value(key) for key in keys]
        found: list[Document] = []
        with borders(f"reading {table.name}"):
            for first in range(0, len(wanted), _MANY):
                some = {"_id": {"$in": wanted[first : first + _MANY]}}
                asked = self._of(table.name).find(some, max_time_ms=int(LONGEST * 1000))
                found += [values.read(table, one) async for one in asked]
        return found

    async def search(self, table: Table, query: Query) -> Sequence[Document]:
        """Read what matches, as one moment had it."""
        if query.limit == 0:
            return []
        stages = asking.pipeline(table, query)
        with borders(f"reading {table.name}"):
            async with self._client.start_session(snapshot=True) as session:
                found = await self._client[self._name][table.name].aggregate(
                    stages, session=session, maxTimeMS=int(LONGEST * 1000)
                )
                return [values.read(table, one) async for one in found]

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count what matches."""
        with borders(f"counting {table.name}"):
            return await self._of(table.name).count_documents(asking.where(table, where), maxTimeMS=int(LONGEST * 1000))

    async def commit(self, writes: Sequence[Write], hold: Hold | None = None, last: Numbered | None = None) -> None:
        """Do everything in one transaction, again and again while others get in the way."""
        wanted = Commit([*groups(writes)], hold, last)
        deadline, pause = time.monotonic() + PATIENCE, 0.002
        while not await self._try(wanted):
            if time.monotonic() > deadline:
                raise Contended("others changed the same documents for too long", hint="try again later")
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads those who collide
            pause = min(0.1, pause * 1.6)

    async def _try(self, wanted: "Commit") -> bool:
        """Commit, or say that others were in the way."""
        try:
            with borders("committing"):
                async with self._transaction(wanted) as session:
                    for group in wanted.groups:
                        await self._write(group, session)
                    if wanted.last is not None:  # drawn behind the writes: so numbers are in the order of commits
                        first = await self.number(wanted.last.counter, wanted.last.count)
                        for group in groups(wanted.last.make(first)):
                            await self._write(group, session)
                    if wanted.hold is not None:
                        await self._require(wanted.hold, session)
        except Collision:
            return False
        return True

    @asynccontextmanager
    async def _transaction(self, wanted: "Commit") -> AsyncIterator[AsyncClientSession | None]:
        if not wanted.several:
            yield None
            return
        async with self._client.start_session() as session:
            await self._sessions.note(session)
            await session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority", j=True))
            try:
                yield session
            except BaseException:
                with contextlib.suppress(PyMongoError, TimeoutError):
                    async with asyncio.timeout(PINGING):
                        await session.abort_transaction()
                raise
            try:
                await session.commit_transaction()
            except OperationFailure as error:
                if error.code != codes.NO_TRANSACTION:
                    raise
                raise Unavailable(  # the client repeats a commit whose answer was lost, and the server knows no more
                    "MongoDB went away during a commit: it is not known whether it happened", hint="try again"
                ) from error

    async def _write(self, group: "Group", session: AsyncClientSession | None) -> None:
        try:
            done = await self._client[self._name][group.table.name].bulk_write(group.operations, session=session)
        except BulkWriteError as error:
            raise refusal(group.table, group.operations, error) from error
        if group.versions and done.matched_count + done.deleted_count < len(group.operations):
            raise Refused(group.table.name, "version")

    async def _require(self, hold: Hold, session: AsyncClientSession | None) -> None:
        locks, count = self._client[self._name][_LOCKS], 0
        if hold.freed:
            mine = {"owner": hold.owner, "_id": {"$in": [*hold.freed]}}
            count += (await locks.delete_many(mine, session=session)).deleted_count
        if hold.kept:  # written, so that whoever takes it meanwhile collides with us
            kept = {"owner": hold.owner, "_id": hold.kept}
            count += (await locks.update_one(kept, {"$inc": {"used": 1}}, session=session)).matched_count
        if count < len(hold.freed) + bool(hold.kept):
            raise Contended("a lock was lost before the commit", hint="try the whole transaction again")

    async def remove(self, table: Table, query: Query) -> int:
        """Remove what matches, some at a time."""
        gone, wanted = 0, asking.condition(table, query)
        collection = self._client[self._name][table.name]
        with borders(f"removing from {table.name}"):
            while keys := [one["_id"] async for one in collection.find(wanted, {"_id": 1}).limit(_MANY)]:
                still = {"$and": [wanted, {"_id": {"$in": keys}}]}
                gone += (await collection.delete_many(still)).deleted_count
        return gone

    async def drop(self, table: Table) -> None:
        """Remove the collection."""
        with borders(f"removing {table.name}"):
            await self._of(table.name).drop()

    async def number(self, counter: str, count: int) -> int:
        """Draw numbers from a counter."""
        found = None
        for _ in range(20):  # of two who make it at the same time both may be turned away
            with borders("drawing a number"), contextlib.suppress(DuplicateKeyError):
                found = await self._client[self._name][_COUNTERS].find_one_and_update(
                    {"_id": counter}, {"$inc": {"last": count}}, upsert=True, return_document=ReturnDocument.AFTER
                )
            if found is not None:
                return int(found["last"]) - count + 1
        raise Contended(f"the counter {counter} gave no number", hint="try again")
