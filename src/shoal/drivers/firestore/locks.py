"""Locks as documents, dated and judged by Firestore's own clock."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from shoal.drivers.base.pauses import Pauses
from shoal.drivers.firestore import values
from shoal.drivers.firestore.link import Collided, Link
from shoal.drivers.firestore.values import Json
from shoal.errors import Contended

LOCKS = "shoal.locks"

_PATIENCE = 2.0
"""Seconds for a request that meets others on the same lock."""

_SOME = 30
"""Owners that one query asks for."""


class Locks:
    """The locks of all owners, in one collection."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def path(self, name: str) -> str:
        """Say where a lock is."""
        return self._link.path(LOCKS, values.name(name))

    async def take(self, name: str, owner: str, seconds: float) -> str:
        """Take a lock if it is free, dead or our own; return who holds it now."""
        pauses = Pauses(_PATIENCE, longest=0.1)
        while True:
            path = self.path(name)
            seen = await self._link.look([path])
            held = seen.documents.get(path)
            if held is not None and (holder := _owner(held)) != owner and not _is_dead(held, seen.at):
                return holder
            try:
                await self._link.write([_taken(path, name, owner, seconds, held)])
            except Collided as collided:
                if not await pauses.rest():
                    raise Contended(f"the lock {name!r} was asked for by too many", hint="try again") from collided
            else:
                return owner

    async def renew(self, owners: Sequence[str], seconds: float) -> Sequence[str]:
        """Date the locks of owners anew."""
        found = [one for some in _some(owners) for one in await self._of(some)]
        kept = await asyncio.gather(*(self._renew(_name(one), _owner(one), seconds) for one in found))
        return [name for name in kept if name]

    async def release(self, owner: str, names: Sequence[str] | None = None) -> None:
        """Free locks of an owner."""
        wanted = [_name(one) for one in await self._of([owner])] if names is None else names
        await asyncio.gather(*(self._free(name, owner) for name in wanted))

    async def holders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Say who holds which of the locks that are held, and not dead."""
        if not names:
            return {}
        seen = await self._link.look([self.path(name) for name in names])
        return {_name(one): _owner(one) for one in seen.documents.values() if not _is_dead(one, seen.at)}

    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """Find locks by the beginning of their names, then look at them."""
        first, beyond = self.path(prefix), f"{self.path(prefix)}\uffff"
        bounds = [_bound("GREATER_THAN_OR_EQUAL", first), _bound("LESS_THAN", beyond)]
        where = {"compositeFilter": {"op": "AND", "filters": bounds}}
        found = await self._link.query({"from": [{"collectionId": LOCKS}], "where": where})
        return await self.holders([_name(one) for one in found])

    async def forget(self, seconds: float) -> None:
        """Remove what nobody renewed for long; clocks that differ by less than `seconds` do no harm."""
        horizon = {"timestampValue": values.value(datetime.now(UTC) - timedelta(seconds=2 * seconds))["timestampValue"]}
        where = {"fieldFilter": {"field": {"fieldPath": "at"}, "op": "LESS_THAN", "value": horizon}}
        found = await self._link.query({"from": [{"collectionId": LOCKS}], "where": where})
        await asyncio.gather(*(self._free(_name(one), _owner(one)) for one in found))

    async def _of(self, owners: Sequence[str]) -> list[Json]:
        wanted = {"arrayValue": {"values": [{"stringValue": owner} for owner in owners]}}
        where = {"fieldFilter": {"field": {"fieldPath": "owner"}, "op": "IN", "value": wanted}}
        return await self._link.query({"from": [{"collectionId": LOCKS}], "where": where})

    async def _renew(self, name: str, owner: str, seconds: float) -> str:
        """Write a lock anew if it is still its owner's; return its name, or nothing."""
        pauses, path = Pauses(_PATIENCE, longest=0.1), self.path(name)
        while True:
            held = (await self._link.look([path])).documents.get(path)
            if held is None or _owner(held) != owner:
                return ""
            try:
                await self._link.write([_taken(path, name, owner, seconds, held)])
            except Collided:
                if not await pauses.rest():
                    return name  # it was its owner's a moment ago, and a commit looks itself
            else:
                return name

    async def _free(self, name: str, owner: str) -> None:
        pauses, path = Pauses(_PATIENCE, longest=0.1), self.path(name)
        while True:
            held = (await self._link.look([path])).documents.get(path)
            if held is None or _owner(held) != owner:
                return
            try:
                await self._link.write([{"delete": path, "currentDocument": {"updateTime": held["updateTime"]}}])
            except Collided as collided:
                if not await pauses.rest():
                    raise Contended(f"the lock {name!r} was asked for by too many", hint="try again") from collided
            else:
                return


def _taken(path: str, name: str, owner: str, seconds: float, held: Json | None) -> Json:
    """Write ourselves into a lock that is as we saw it."""
    row = {"name": name, "owner": owner, "life": seconds}
    return {
        "update": {"name": path, "fields": {column: values.value(found) for column, found in row.items()}},
        "updateTransforms": [{"fieldPath": "at", "setToServerValue": "REQUEST_TIME"}],
        "currentDocument": {"exists": False} if held is None else {"updateTime": held["updateTime"]},
    }


def _bound(op: str, path: str) -> Json:
    return {"fieldFilter": {"field": {"fieldPath": "__name__"}, "op": op, "value": {"referenceValue": path}}}


def _owner(held: Json) -> str:
    return str(held["fields"]["owner"]["stringValue"])


def _name(held: Json) -> str:
    return str(held["fields"]["name"]["stringValue"])


def _is_dead(held: Json, now: datetime) -> bool:
    """Say whether its owner has not been heard of for as long as it promised."""
    at = datetime.fromisoformat(held["fields"]["at"]["timestampValue"])
    return (now - at).total_seconds() >= float(held["fields"]["life"]["doubleValue"])


def _some(owners: Sequence[str]) -> Iterable[Sequence[str]]:
    return [owners[first : first + _SOME] for first in range(0, len(owners), _SOME)]
