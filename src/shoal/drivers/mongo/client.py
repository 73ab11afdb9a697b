"""MongoDB's client, known here alone: how it connects, and what its errors mean."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from bson.binary import Binary
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

from shoal.drivers.base.observing import Asking
from shoal.drivers.mongo import codes
from shoal.errors import Contended, EngineError, TimedOut, Unavailable, Unstorable

__all__ = [
    "AsyncClientSession", "AsyncCollection", "AsyncMongoClient", "Binary", "BulkWriteError", "DeleteOne",
    "DuplicateKeyError", "ExecutionTimeout", "InsertOne", "OperationFailure", "PyMongoError", "ReadConcern",
    "ReplaceOne", "ReturnDocument", "UpdateOne", "WriteConcern",
]  # fmt: skip

Json = dict[str, Any]

OPTIONS: dict[str, Any] = {
    "w": "majority", "journal": True, "retryWrites": False, "retryReads": False, "tz_aware": True,
    "serverSelectionTimeoutMS": 1_500, "connectTimeoutMS": 2_000, "socketTimeoutMS": 30_000, "maxPoolSize": 32,
    "waitQueueTimeoutMS": 5_000, "uuidRepresentation": "standard", "readPreference": "primary",
}  # fmt: skip
FOR_LOCKS = OPTIONS | {"maxPoolSize": 4, "socketTimeoutMS": 2_000}
"""Locks have connections of their own: who waits for a large answer keeps nobody's lock from being renewed."""


NOW: Json = {"$toLong": "$$NOW"}
"""Milliseconds since 1970 by the server's clock."""


class Collision(Contended):
    """Others changed the same documents; a commit tries again by itself."""


@contextlib.contextmanager
def borders(doing: str) -> Iterator[None]:
    """Turn the client's errors into those of the house; whoever observes hears of what is done, and of which table."""
    act, _, what = doing.rpartition(" ")
    with Asking("mongodb", act or what, what if act else ""), _translated(doing):
        yield


@contextlib.contextmanager
def _translated(doing: str) -> Iterator[None]:
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
            raise Collision(f"{doing}: others were in the way", hint="try again") from error
        kind = Unavailable if error.code in codes.PASSING else EngineError
        said = (error.details or {}).get("errmsg") or f"error {error.code}"
        raise kind(f"{doing}: MongoDB says {said}") from error
    except PyMongoError as error:
        raise EngineError(f"{doing}: {error}") from error


async def command(url: str, database: str, words: Json) -> Mapping[str, Any]:
    """Give a server one command, over a connection of its own."""
    client: AsyncMongoClient[Json] = AsyncMongoClient(url, **OPTIONS)
    try:
        with borders(f"{next(iter(words))} on {database}"):
            return await client[database].command(words)
    finally:
        await client.close()
