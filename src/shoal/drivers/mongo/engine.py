"""MongoDB as an engine of documents: the one file that knows its client."""

import asyncio
import contextlib
import itertools
import random
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bson.errors import InvalidDocument
from pymongo import AsyncMongoClient, DeleteOne, InsertOne, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    CollectionInvalid,
    ConfigurationError,
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
from shoal.drivers.base.documents.engine import Document, Refused, Write
from shoal.drivers.mongo import asking, values
from shoal.errors import Contended, EngineError, TimedOut, Unavailable, Unstorable

Json = dict[str, Any]
Operation = InsertOne[Json] | ReplaceOne[Json] | UpdateOne | DeleteOne
Operations = list[Operation]

OPENING, PINGING = 5.0, 1.0
"""Seconds for the first answer, and for a sign of life."""

PATIENCE = 10.0
"""Seconds for a commit that collides with others."""

_LOCKS, _COUNTERS = "shoal.locks", "shoal.counters"
_MANY = 1_000
_TAKEN, _EXISTS = 11000, 48
_PASSING = frozenset({6, 7, 89, 91, 189, 9001, 10107, 11600, 11602, 13435, 13436})
"""Codes of a server that goes away or is not the first of its set: trying again helps."""

_OPTIONS: dict[str, Any] = {
    "w": "majority", "journal": True, "retryWrites": False, "retryReads": False, "tz_aware": True,
    "serverSelectionTimeoutMS": 1_500, "connectTimeoutMS": 2_000, "socketTimeoutMS": 30_000, "maxPoolSize": 32,
    "uuidRepresentation": "standard",
}  # fmt: skip

_NOW: Json = {"$toLong": "$$NOW"}
_LIVES: Json = {"$expr": {"$gt": ["$until", _NOW]}}


class MongoEngine:
    """A `documents.engine.Engine`."""

    def __init__(self, url: str, database: str) -> None:
        self._url, self._name = url, database
        self._made: AsyncMongoClient[Json] | None = None

    @property
    def _client(self) -> AsyncMongoClient[Json]:
        if self._made is None:
            self._made = AsyncMongoClient(self._url, **_OPTIONS)
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
        if self._made is not None:
            await self._made.close()

    async def declare(self, table: Table, indexes: Sequence[Sequence[str]] = ()) -> None:
        """Make the collection and its indexes."""
        with _borders(f"making {table.name}"):
            with contextlib.suppress(CollectionInvalid):
                await self._client[self._name].create_collection(table.name)
            for column in sorted(table.unique):
                some = {column: {"$type": ["string", "number", "bool", "object", "binData"]}}
                await self._of(table.name).create_index(column, unique=True, partialFilterExpression=some)
            for columns in indexes:
                names = [("_id" if column == table.key else column, 1) for column in columns]
                await self._of(table.name).create_index(names)

    async def read(self, table: Table, keys: Sequence[object]) -> Sequence[Document]:
        """Read by key."""
        wanted = {"_id": {"$in": [values.value(key) for key in keys]}}
        with _borders(f"reading {table.name}"):
            return [values.read(table, one) async for one in self._of(table.name).find(wanted)]

    async def search(self, table: Table, query: Query) -> Sequence[Document]:
        """Read what matches, as one moment had it."""
        if query.limit == 0:
            return []
        stages = asking.pipeline(table, query)
        with _borders(f"reading {table.name}"):
            async with self._client.start_session(snapshot=True) as session:
                found = await self._client[self._name][table.name].aggregate(stages, session=session)
                return [values.read(table, one) async for one in found]

    async def count(self, table: Table, where: Mapping[str, object]) -> int:
        """Count what matches."""
        with _borders(f"counting {table.name}"):
            return await self._of(table.name).count_documents(asking.where(table, where))

    async def commit(self, writes: Sequence[Write], owner: str = "", locks: int = 0) -> None:
        """Do everything in one transaction, again and again while others get in the way."""
        pause = 0.002
        try:
            async with asyncio.timeout(PATIENCE):
                while not await self._try([*_groups(writes)], owner, locks):
                    await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads those who collide
                    pause = min(0.1, pause * 1.6)
        except TimeoutError:
            raise Contended("others changed the same documents for too long", hint="try again later") from None

    async def _try(self, groups: "Sequence[_Group]", owner: str, locks: int) -> bool:
        """Commit, or say that others were in the way."""
        try:
            with _borders("committing"):
                async with self._transaction(sum(len(g.operations) for g in groups) + locks > 1) as session:
                    for group in groups:
                        await self._write(group, session)
                    if locks:
                        await self._free(owner, locks, session)
        except _Collision:
            return False
        return True

    @asynccontextmanager
    async def _transaction(self, needed: bool) -> AsyncIterator[AsyncClientSession | None]:  # noqa: FBT001 - one caller
        if not needed:
            yield None
            return
        async with self._client.start_session() as session:
            await session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority", j=True))
            try:
                yield session
            except BaseException:
                with contextlib.suppress(PyMongoError):
                    await session.abort_transaction()
                raise
            await session.commit_transaction()

    async def _write(self, group: "_Group", session: AsyncClientSession | None) -> None:
        try:
            done = await self._client[self._name][group.table.name].bulk_write(group.operations, session=session)
        except BulkWriteError as error:
            raise _refusal(group.table, error) from error
        if group.versions and done.matched_count + done.deleted_count < len(group.operations):
            raise Refused(group.table.name, "version")

    async def _free(self, owner: str, locks: int, session: AsyncClientSession | None) -> None:
        done = await self._client[self._name][_LOCKS].delete_many({"owner": owner}, session=session)
        if done.deleted_count < locks:
            raise Contended("a lock was lost before the commit", hint="try the whole transaction again")

    async def remove(self, table: Table, query: Query) -> int:
        """Remove what matches, some at a time."""
        gone, wanted = 0, asking.condition(table, query)
        collection = self._client[self._name][table.name]
        with _borders(f"removing from {table.name}"):
            while keys := [one["_id"] async for one in collection.find(wanted, {"_id": 1}).limit(_MANY)]:
                gone += (await collection.delete_many({"_id": {"$in": keys}})).deleted_count
        return gone

    async def number(self, counter: str, count: int) -> int:
        """Draw numbers from a counter."""
        found = None
        while found is None:  # two who make it at the same time may both be turned away
            with _borders("drawing a number"), contextlib.suppress(DuplicateKeyError):
                found = await self._client[self._name][_COUNTERS].find_one_and_update(
                    {"_id": counter}, {"$inc": {"last": count}}, upsert=True, return_document=ReturnDocument.AFTER
                )
        return int(found["last"]) - count + 1

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
                found = await self._client[self._name][_LOCKS].find_one_and_update(
                    {"_id": name}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER
                )
        return str(found["owner"]) if found else ""

    async def renew(self, owners: Sequence[str], seconds: float) -> Sequence[str]:
        """Prolong locks, by the server's clock."""
        mine = {"owner": {"$in": [*owners]}}
        until = {"$add": [_NOW, int(seconds * 1000)]}
        collection = self._client[self._name][_LOCKS]
        with _borders("renewing locks"):
            await collection.update_many(mine, [{"$set": {"until": until}}])
            return [str(one["_id"]) async for one in collection.find(mine, {"_id": 1})]

    async def release(self, owner: str, names: Sequence[str] | None = None) -> None:
        """Remove locks."""
        some = {} if names is None else {"_id": {"$in": [*names]}}
        with _borders("freeing locks"):
            await self._client[self._name][_LOCKS].delete_many({"owner": owner, **some})

    async def holders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Read locks by name."""
        return await self._locks({"_id": {"$in": [*names]}})

    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """Read locks by the beginning of their names."""
        return await self._locks({"_id": {"$gte": prefix, "$lt": f"{prefix}\uffff"}})

    async def _locks(self, wanted: Json) -> Mapping[str, str]:
        with _borders("looking at locks"):
            found = self._client[self._name][_LOCKS].find({**wanted, **_LIVES})
            return {str(one["_id"]): str(one["owner"]) async for one in found}


class _Collision(Exception):
    """Others changed the same documents."""


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


def _refusal(table: Table, error: BulkWriteError) -> Exception:
    first = (error.details.get("writeErrors") or [{}])[0]
    if first.get("code") == _TAKEN:
        column = next(iter(first.get("keyPattern") or {"_id": 1}))
        return Refused(table.name, "key") if column == "_id" else Refused(table.name, "unique", column)
    if error.has_error_label("TransientTransactionError") or first.get("code") == 112:
        return _Collision()
    return error


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
    except ConfigurationError as error:
        raise EngineError(f"{doing}: {error}", hint="look at the store's URL") from error
    except OperationFailure as error:
        if error.has_error_label("TransientTransactionError"):
            raise _Collision from error
        kind = Unavailable if error.code in _PASSING else EngineError
        raise kind(f"{doing}: {error.details or error}") from error
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
