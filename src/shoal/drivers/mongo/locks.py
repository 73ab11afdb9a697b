"""Locks as documents, taken and renewed by the server's clock."""

import contextlib
from collections.abc import Callable, Mapping, Sequence

from shoal.drivers.mongo.client import (
    NOW,
    AsyncCollection,
    DeleteOne,
    DuplicateKeyError,
    ExecutionTimeout,
    Json,
    ReturnDocument,
    UpdateOne,
    borders,
)

_PATIENCE = 500
"""Milliseconds for which a request waits behind a commit; afterwards the lock is somebody's, we do not know whose."""

_LIVES: Json = {"$expr": {"$gt": ["$until", NOW]}}


class Locks:
    """The locks of all owners, in one collection."""

    def __init__(self, collection: Callable[[], AsyncCollection[Json]]) -> None:
        self._collection = collection

    @property
    def _of(self) -> AsyncCollection[Json]:
        return self._collection()

    async def take(self, name: str, owner: str, seconds: float) -> str:
        """Take a lock, by the server's clock."""
        known = {"$ifNull": ["$owner", None]}
        free = {"$or": [{"$in": [known, [None, owner]]}, {"$lte": ["$until", NOW]}]}
        until = {"$add": [NOW, int(seconds * 1000)]}
        change = {
            "owner": {"$cond": [free, owner, "$owner"]},
            "until": {"$cond": [free, until, "$until"]},
        }
        with borders("taking a lock"):
            found = None
            with contextlib.suppress(DuplicateKeyError, ExecutionTimeout):  # somebody makes it, or commits with it
                found = await self._of.find_one_and_update(
                    {"_id": name}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER,
                    maxTimeMS=_PATIENCE,
                )  # fmt: skip
        return str(found["owner"]) if found else ""

    async def renew(self, owners: Sequence[str], seconds: float) -> Sequence[str]:
        """Prolong locks, by the server's clock."""
        mine: Json = {"owner": {"$in": [*owners]}}
        until = [{"$set": {"until": {"$add": [NOW, int(seconds * 1000)]}}}]
        with borders("renewing locks"):
            await self._each(mine, lambda name: UpdateOne({"_id": name, **mine}, until))
            return await self._names(mine)

    async def forget(self, seconds: float) -> None:
        """Remove what ran out, by the server's clock."""
        old: Json = {"$expr": {"$lt": [{"$add": ["$until", int(seconds * 1000)]}, NOW]}}
        with borders("forgetting locks"):
            await self._each(old, lambda name: DeleteOne({"_id": name, **old}))

    async def release(self, owner: str, names: Sequence[str] | None = None) -> None:
        """Remove locks."""
        some: Json = {"owner": owner} if names is None else {"owner": owner, "_id": {"$in": [*names]}}
        with borders("freeing locks"):
            await self._each(some, lambda name: DeleteOne({"owner": owner, "_id": name}))

    async def _each(self, wanted: Json, act: Callable[[str], UpdateOne | DeleteOne]) -> None:
        """Change locks one by one: SecantusDB keeps all of them from everybody while one of many is in a commit."""
        if acts := [act(name) for name in await self._names(wanted)]:
            await self._of.bulk_write(acts, ordered=False)

    async def _names(self, wanted: Json) -> list[str]:
        return [str(one["_id"]) async for one in self._of.find(wanted, {"_id": 1})]

    async def holders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Read locks by name."""
        return await self._living({"_id": {"$in": [*names]}})

    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """Read locks by the beginning of their names."""
        return await self._living({"_id": {"$gte": prefix, "$lt": f"{prefix}\uffff"}})

    async def _living(self, wanted: Json) -> Mapping[str, str]:
        with borders("looking at locks"):
            found = self._of.find({**wanted, **_LIVES})
            return {str(one["_id"]): str(one["owner"]) async for one in found}
