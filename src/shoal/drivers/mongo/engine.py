"""MongoDB as an engine of documents: the one file that knows its client."""

import asyncio
import contextlib
import itertools
import random
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bson.errors import InvalidDocument
from pymongo import AsyncMongoClient, DeleteOne, InsertOne, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shoal.drivers.base import Query, Table
from shoal.drivers.base.documents.engine import Document, Hold, Numbered, Refused, Write
from shoal.drivers.mongo import asking, codes, values
from shoal.errors import Contended, EngineError, TimedOut, Unavailable, Unstorable

Json = dict[str, Any]
Operation = InsertOne[Json] | ReplaceOne[Json] | UpdateOne | DeleteOne
Operations = list[Operation]

OPENING, PINGING = 5.0, 1.0
"""Seconds for the first answer, and for a sign of life."""

PATIENCE = 10.0
"""Seconds for a commit that collides with others."""

LONGEST = 20.0
"""Seconds for one question."""

_LOCKS, _COUNTERS = "shoal.locks", "shoal.counters"
_MANY = 1_000
_OPTIONS: dict[str, Any] = {
    "w": "majority", "journal": True, "retryWrites": False, "retryReads": False, "tz_aware": True,
    "serverSelectionTimeoutMS": 1_500, "connectTimeoutMS": 2_000, "socketTimeoutMS": 30_000, "maxPoolSize": 32,
    "waitQueueTimeoutMS": 5_000, "uuidRepresentation": "standard", "readPreference": "primary",
}  # fmt: skip
_FOR_LOCKS = _OPTIONS | {"maxPoolSize": 4, "socketTimeoutMS": 2_000}
"""Locks have connections of their own: who waits for a large answer keeps nobody's lock from being renewed."""

_NOW: Json = {"$toLong": "$$NOW"}
_LIVES: Json = {"$expr": {"$gt": ["$until", _NOW]}}


class MongoEngine:
    """A `documents.engine.Engine`."""

    step = _MANY

    def __init__(self, url: str, database: str) -> None:
        self._url, self._name = url, database
        self._made: list[AsyncMongoClient[Json]] = []

    @property
    def _client(self) -> AsyncMongoClient[Json]:
        return self._clients()[0]

    @property
    def _locks(self) -> AsyncCollection[Json]:
        return self._clients()[1][self._name][_LOCKS]

    def _clients(self) -> list[AsyncMongoClient[Json]]:
        if not self._made:
            self._made = [AsyncMongoClient(self._url, **options) for options in (_OPTIONS, _FOR_LOCKS)]
        return self._made

    def _of(self, name: str) -> AsyncCollection[Json]:
        return self._client[self._name].get_collection(name, read_concern=ReadConcern("majority"))

    async def open(self) -> None:
        """Connect."""
        await self._ask(OPENING)

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self._ask(PINGING)

    async def _ask(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                with _borders("asking"):
                    await self._client.admin.command("ping")
        except TimeoutError:
            raise Unavailable(f"MongoDB did not answer within {seconds:g} s", hint="look whether it runs") from None

    async def close(self) -> None:
        """Let go of every connection."""
        for client in self._made:
            with contextlib.suppress(TimeoutError, PyMongoError):  # it says goodbye to a server that may be gone
                async with asyncio.timeout(PINGING):
                    await client.close()

    def raw(self, table: Table) -> AsyncCollection[Json]:
        """Return the collection."""
        return self._of(table.name)

    async def declare(self, table: Table, indexes: Sequence[Sequence[str]] = ()) -> None:
        """Make the collection and its indexes."""
        with _borders(f"making {table.name}"):
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
        with _borders(f"reading {table.name}"):
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
        with _borders(f"reading {table.name}"):
            async with self._client.start_session(snapshot=True) as session:
                found = await self._client[self._name][table.name].aggregate(
                    stages, session=session, maxTimeMS=int(LONGEST * 1000)
                )
                return [values.read(table, one) async for one in found]

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count what matches."""
        with _borders(f"counting {table.name}"):
            return await self._of(table.name).count_documents(asking.where(table, where), maxTimeMS=int(LONGEST * 1000))

    async def commit(self, writes: Sequence[Write], hold: Hold | None = None, last: Numbered | None = None) -> None:
        """Do everything in one transaction, again and again while others get in the way."""
        wanted = _Commit([*_groups(writes)], hold, last)
        deadline, pause = time.monotonic() + PATIENCE, 0.002
        while not await self._try(wanted):
            if time.monotonic() > deadline:
                raise Contended("others changed the same documents for too long", hint="try again later")
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads those who collide
            pause = min(0.1, pause * 1.6)

    async def _try(self, wanted: "_Commit") -> bool:
        """Commit, or say that others were in the way."""
        try:
            with _borders("committing"):
                async with self._transaction(wanted) as session:
                    for group in wanted.groups:
                        await self._write(group, session)
                    if wanted.last is not None:  # drawn behind the writes: so numbers are in the order of commits
                        first = await self.number(wanted.last.counter, wanted.last.count)
                        for group in _groups(wanted.last.make(first)):
                            await self._write(group, session)
                    if wanted.hold is not None:
                        await self._require(wanted.hold, session)
        except _Collision:
            return False
        return True

    @asynccontextmanager
    async def _transaction(self, wanted: "_Commit") -> AsyncIterator[AsyncClientSession | None]:
        if not wanted.several:
            yield None
            return
        async with self._client.start_session() as session:
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

    async def _write(self, group: "_Group", session: AsyncClientSession | None) -> None:
        try:
            done = await self._client[self._name][group.table.name].bulk_write(group.operations, session=session)
        except BulkWriteError as error:
            raise _refusal(group.table, group.operations, error) from error
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
        with _borders(f"removing from {table.name}"):
            while keys := [one["_id"] async for one in collection.find(wanted, {"_id": 1}).limit(_MANY)]:
                still = {"$and": [wanted, {"_id": {"$in": keys}}]}
                gone += (await collection.delete_many(still)).deleted_count
        return gone

    async def number(self, counter: str, count: int) -> int:
        """Draw numbers from a counter."""
        found = None
        for _ in range(20):  # of two who make it at the same time both may be turned away
            with _borders("drawing a number"), contextlib.suppress(DuplicateKeyError):
                found = await self._client[self._name][_COUNTERS].find_one_and_update(
                    {"_id": counter}, {"$inc": {"last": count}}, upsert=True, return_document=ReturnDocument.AFTER
                )
            if found is not None:
                return int(found["last"]) - count + 1
        raise Contended(f"the counter {counter} gave no number", hint="try again")

    async def take(self, name: str, owner: str, seconds: float) -> str:
        """Take a lock, by the server's clock."""
        known = {"$ifNull": ["$owner", None]}
        free = {"$or": [{"$in": [known, [None, owner]]}, {"$lte": ["$until", _NOW]}]}
        until = {"$add": [_NOW, int(seconds * 1000)]}
        change = {
            "owner": {"$cond": [free, owner, "$owner"]},
            "until": {"$cond": [free, until, "$until"]},
        }
        with _borders("taking a lock"):
            found = None
            with contextlib.suppress(DuplicateKeyError):  # somebody else made it at the same time
                found = await self._locks.find_one_and_update(
                    {"_id": name}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER
                )
        return str(found["owner"]) if found else ""

    async def renew(self, owners: Sequence[str], seconds: float) -> Sequence[str]:
        """Prolong locks, by the server's clock."""
        mine = {"owner": {"$in": [*owners]}}
        until = {"$add": [_NOW, int(seconds * 1000)]}
        with _borders("renewing locks"):
            await self._locks.update_many(mine, [{"$set": {"until": until}}])
            return [str(one["_id"]) async for one in self._locks.find(mine, {"_id": 1})]

    async def forget(self, seconds: float) -> None:
        """Remove what ran out, by the server's clock."""
        old = {"$expr": {"$lt": [{"$add": ["$until", int(seconds * 1000)]}, _NOW]}}
        with _borders("forgetting locks"):
            await self._locks.delete_many(old)

    async def release(self, owner: str, names: Sequence[str] | None = None) -> None:
        """Remove locks."""
        some = {} if names is None else {"_id": {"$in": [*names]}}
        with _borders("freeing locks"):
            await self._locks.delete_many({"owner": owner, **some})

    async def holders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Read locks by name."""
        return await self._living({"_id": {"$in": [*names]}})

    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """Read locks by the beginning of their names."""
        return await self._living({"_id": {"$gte": prefix, "$lt": f"{prefix}\uffff"}})

    async def _living(self, wanted: Json) -> Mapping[str, str]:
        with _borders("looking at locks"):
            found = self._locks.find({**wanted, **_LIVES})
            return {str(one["_id"]): str(one["owner"]) async for one in found}


class _Collision(Contended):
    """Others changed the same documents; a commit tries again by itself."""


@dataclass(frozen=True, slots=True)
class _Commit:
    """What is to be done in one step."""

    groups: "Sequence[_Group]"
    hold: Hold | None
    last: Numbered | None

    @property
    def several(self) -> bool:
        """Whether more than one document changes; a single one needs no transaction."""
        locks = 0 if self.hold is None else len(self.hold.freed) + bool(self.hold.kept)
        numbered = 0 if self.last is None else self.last.count
        return sum(len(group.operations) for group in self.groups) + locks + numbered > 1


class _Group:
    """Neighbouring writes that go to the server together."""

    def __init__(self, table: Table, versions: bool, operations: Operations) -> None:  # noqa: FBT001 - one caller
        self.table, self.versions, self.operations = table, versions, operations


def _groups(writes: Sequence[Write]) -> Iterator[_Group]:
    for (_, versions), some in itertools.groupby(writes, key=lambda write: (write.table.name, bool(write.version))):
        kept = [*some]
        yield _Group(kept[0].table, versions, [_operation(write) for write in kept])


def _operation(write: Write) -> Operation:
    meant: Json = {"_id": values.value(write.key)}
    if write.version:
        meant[values.VERSION] = write.version
    if write.row is None:
        return DeleteOne(meant)
    version = uuid.uuid4().hex
    if write.how == "change":
        return UpdateOne(meant, {"$set": {values.VERSION: version, **values.fields(write.table, write.row)}})
    whole = values.document(write.table, write.key, write.row, version)
    return InsertOne(whole) if write.how == "insert" else ReplaceOne(meant, whole, upsert=not write.version)


def _refusal(table: Table, group: Operations, error: BulkWriteError) -> Exception:
    """Say what a refused write means; the server's own words quote the document, so they are left out."""
    first = (error.details.get("writeErrors") or [{}])[0]
    code = first.get("code")
    if error.has_error_label("TransientTransactionError") or code in codes.COLLIDES:
        return _Collision(f"others changed {table.name}", hint="try again")
    if code == codes.TAKEN:
        column = next(iter(first.get("keyPattern") or {"_id": 1}))
        if column != "_id":
            return Refused(table.name, "unique", column)
        inserting = isinstance(group[first.get("index", 0)], InsertOne)
        if inserting:
            return Refused(table.name, "key")
        return _Collision(f"others made the same row of {table.name}", hint="try again")
    if not first or code in codes.PASSING:
        return Unavailable(f"MongoDB could not keep what was written to {table.name} ({code})", hint="try again")
    return EngineError(f"MongoDB refused a document of {table.name}: {first.get('codeName') or code}")


@contextlib.contextmanager
def _borders(doing: str) -> Iterator[None]:
    """Turn the client's errors into those of the house."""
    try:
        yield
    except (ServerSelectionTimeoutError, AutoReconnect, WTimeoutError, InvalidOperation) as error:
        raise Unavailable(f"MongoDB went away while {doing}: {error}", hint="look whether it runs") from error
    except ExecutionTimeout as error:
        raise TimedOut(f"{doing} took too long: {error}") from error
    except (InvalidDocument, OverflowError, UnicodeEncodeError) as error:
        raise Unstorable(f"{doing}: {error}", hint="keep it as text") from error
    except OperationFailure as error:
        if error.has_error_label("TransientTransactionError") or error.code in codes.COLLIDES:
            raise _Collision(f"{doing}: others were in the way", hint="try again") from error
        kind = Unavailable if error.code in codes.PASSING else EngineError
        said = (error.details or {}).get("errmsg") or f"error {error.code}"
        raise kind(f"{doing}: MongoDB says {said}") from error
    except PyMongoError as error:
        raise EngineError(f"{doing}: {error}") from error


async def command(url: str, database: str, words: Json) -> Mapping[str, Any]:
    """Give a server one command, over a connection of its own."""
    client: AsyncMongoClient[Json] = AsyncMongoClient(url, **_OPTIONS)
    try:
        with _borders(f"{next(iter(words))} on {database}"):
            return await client[database].command(words)
    finally:
        await client.close()
