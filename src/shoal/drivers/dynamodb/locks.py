"""Locks without a clock that everybody shares.

DynamoDB compares nothing with its own clock, and those of the machines differ. So a lock says for how long its holder
promises to renew it, and each renewal changes its beat. Whoever has seen the *same* beat for that long by its own
monotonic clock may take it, if the beat is still the same when it does. A holder that was only frozen, or cut off,
loses its lock without knowing; it changes nothing any more, since its commit demands that the lock is still its own.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence

from shoal.drivers.aws.client import AwsRefusal
from shoal.drivers.dynamodb import places
from shoal.drivers.dynamodb.asking import CONDITION, CONFLICT, Desk, Item, Pauses
from shoal.errors import Contended

_KEPT = 24 * 3600
"""Seconds after which DynamoDB itself removes what nobody renewed; for tidying only, since it goes by another clock."""

_MANY = 1_000
"""Locks of others that are remembered."""

_PATIENCE = 2.0
"""Seconds for a request that meets another on the same lock."""


class Locks:
    """The locks of one process' owners, and what it has seen of those of others."""

    def __init__(self, desk: Desk, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk, self._clock = desk, clock
        self._mine: dict[str, set[str]] = {}
        """Owner → names it has or may have."""
        self._seen: dict[str, tuple[str, float]] = {}
        """Name → the beat of a lock, and when it was first seen."""

    async def take(self, name: str, owner: str, seconds: float) -> str:
        """Take a lock if it is free, dead or our own; return who holds it now."""
        self._mine.setdefault(owner, set()).add(name)  # before it is asked: the answer may get lost
        beat, dead = uuid.uuid4().hex, ""
        while True:
            held = await self._write(name, owner, seconds, beat, dead)
            if held is None:
                self._seen.pop(name, None)
                return owner
            if not held:
                continue
            holder, known = held["o"]["S"], held["b"]["S"]
            if dead == known or not self._is_dead(name, held):
                self._forgotten(owner, [name])
                return str(holder)
            dead = known

    async def renew(self, owners: Sequence[str], seconds: float) -> Sequence[str]:
        """Change the beat of every lock; return the names of those that are still theirs."""
        beat = uuid.uuid4().hex
        pairs = [(owner, name) for owner in owners for name in sorted(self._mine.get(owner, ()))]
        kept = await asyncio.gather(*(self._beat(owner, name, seconds, beat) for owner, name in pairs))
        for (owner, name), still in zip(pairs, kept, strict=True):
            if not still:
                self._forgotten(owner, [name])
        return [name for (_, name), still in zip(pairs, kept, strict=True) if still]

    async def release(self, owner: str, names: Sequence[str] | None = None) -> None:
        """Free locks of an owner: all that it may have, or some."""
        some = self._mine.get(owner, set()) if names is None else names
        await asyncio.gather(*(self._free(owner, name) for name in sorted(some)))
        self._forgotten(owner, [*some])

    def ended(self, owner: str, names: Iterable[str]) -> None:
        """Note that a commit freed locks."""
        self._forgotten(owner, names)

    async def holders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Say who holds which of the locks that are held, and not dead."""
        return self._living(await self._desk.read(places.lock(name) for name in names)) if names else {}

    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """Say who holds the locks whose names begin like this; it must have a whole first line."""
        group, line, rest = prefix.partition("\n")
        assert line, "locks lie together by their first line"  # noqa: S101
        found = self._living(await self._desk.query(places.group_of(group)))
        return {name: owner for name, owner in found.items() if name.startswith(f"{group}\n{rest}")}

    async def _write(self, name: str, owner: str, seconds: float, beat: str, dead: str) -> Item | None:
        """Write ourselves into a lock; if it is another's return it, or nothing that can be told."""
        free = "attribute_not_exists(o) OR o = :o" + (" OR b = :dead" if dead else "")
        values = self._values(owner, seconds, beat) | ({":l": {"S": name}} | ({":dead": {"S": dead}} if dead else {}))
        words = {
            "Key": places.lock(name).key, "ConditionExpression": free, "ExpressionAttributeValues": values,
            "UpdateExpression": "SET o = :o, b = :b, d = :d, x = :x, l = :l",
        }  # fmt: skip
        return await self._change("update_item", **words)

    async def _beat(self, owner: str, name: str, seconds: float, beat: str) -> bool:
        words = {
            "Key": places.lock(name).key, "ConditionExpression": "o = :o",
            "ExpressionAttributeValues": self._values(owner, seconds, beat),
            "UpdateExpression": "SET b = :b, d = :d, x = :x",
        }  # fmt: skip
        return await self._change("update_item", **words) is None

    async def _free(self, owner: str, name: str) -> None:
        values = {":o": {"S": owner}}
        words = {"ConditionExpression": "o = :o", "ExpressionAttributeValues": values}
        await self._change("delete_item", Key=places.lock(name).key, **words)

    async def _change(self, operation: str, **words: object) -> Item | None:
        """Change a lock, or return it if the condition does not hold: empty when it is not there."""
        pauses = Pauses(_PATIENCE, longest=0.1)
        while True:
            try:
                await self._desk.ask(
                    operation, TableName=self._desk.table, ReturnValuesOnConditionCheckFailure="ALL_OLD", **words
                )
            except AwsRefusal as refusal:
                if refusal.code == CONDITION:
                    return refusal.response.get("Item") or {}
                if refusal.code != CONFLICT or not await pauses.rest():
                    raise Contended(f"a lock was asked for by too many: {refusal}", hint="try again") from refusal
            else:
                return None

    def _values(self, owner: str, seconds: float, beat: str) -> dict[str, dict[str, str]]:
        end = int(time.time() + _KEPT)
        return {":o": {"S": owner}, ":b": {"S": beat}, ":d": {"N": f"{seconds:.3f}"}, ":x": {"N": str(end)}}

    def _living(self, items: Iterable[Item]) -> Mapping[str, str]:
        return {one["l"]["S"]: one["o"]["S"] for one in items if not self._is_dead(one["l"]["S"], one)}

    def _is_dead(self, name: str, held: Item) -> bool:
        """Say whether we have seen the same beat for as long as its holder promised to renew it."""
        now, beat = self._clock(), held["b"]["S"]
        known, since = self._seen.get(name, ("", 0.0))
        if known == beat:
            return now - since >= float(held["d"]["N"])
        if len(self._seen) >= _MANY:
            oldest = sorted(self._seen, key=lambda one: self._seen[one][1])
            self._seen = {one: self._seen[one] for one in oldest[_MANY // 2 :]}
        self._seen[name] = (beat, now)
        return False

    def _forgotten(self, owner: str, names: Iterable[str]) -> None:
        mine = self._mine.get(owner, set())
        mine.difference_update([*names])
        if not mine:
            self._mine.pop(owner, None)
