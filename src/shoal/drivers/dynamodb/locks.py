"""Locks without a clock that everybody shares.

DynamoDB compares nothing with its own clock, and those of the machines differ. So a lock says for how long its owner
promises a sign of life, and each sign changes the owner's beat: one item for all of its locks, made when the first of
them is renewed. Whoever has seen the *same* lock and the same beat for that long by its own monotonic clock may take
it, if both are still the same when it does. An owner that was only frozen, or cut off, loses its lock without knowing;
it changes nothing any more, since its commit demands that the lock is still its own.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence

from shoal.drivers.aws.client import AwsRefusal
from shoal.drivers.base.pauses import Pauses
from shoal.drivers.dynamodb import places
from shoal.drivers.dynamodb.asking import CONDITION, CONFLICT, Desk, Item
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
        self._mine: dict[str, dict[str, float]] = {}
        """Owner → names it has or may have, and when each was last written."""
        self._seen: dict[str, tuple[str, float]] = {}
        """Name → the beat of a lock, and when it was first seen."""

    async def take(self, name: str, owner: str, seconds: float) -> str:
        """Take a lock if it is free, dead or our own; return who holds it now."""
        self._mine.setdefault(owner, {})[name] = self._clock()  # before it is asked: the answer may get lost
        while (held := await self._write(name, owner, seconds)) is not None:
            if not held:  # it was freed a moment ago
                continue
            holder = str(held["o"]["S"])
            life = (await self._lives([holder])).get(holder, "")
            if not self._is_dead(held, life):
                self._forgotten(owner, [name])
                return holder
            if not await self._inherit(held, life):
                self._seen.pop(name, None)
        self._seen.pop(name, None)
        return owner

    async def renew(self, owners: Sequence[str], seconds: float) -> Sequence[str]:
        """Give a sign of life of each owner; return the names of the locks that are still theirs."""
        mine = {name: owner for owner in owners for name in sorted(self._mine.get(owner, ()))}
        await asyncio.gather(*(self._beat(owner, seconds) for owner in {*mine.values()}))
        for name, owner in mine.items():
            written = self._mine.get(owner, {}).get(name)  # its commit may have freed it meanwhile
            if written is not None and self._clock() - written > _KEPT / 2:
                self._mine[owner][name] = self._clock()
                await self._write(name, owner, seconds)  # or DynamoDB would remove it
        found = await self._desk.read(places.lock(name) for name in mine) if mine else []
        kept = [one["l"]["S"] for one in found if mine.get(one["l"]["S"]) == one["o"]["S"]]
        for name in {*mine} - {*kept}:
            self._forgotten(mine[name], [name])
        return kept

    async def release(self, owner: str, names: Sequence[str] | None = None) -> None:
        """Free locks of an owner: all that it may have, or some."""
        some = self._mine.get(owner, {}) if names is None else names
        await asyncio.gather(*(self._free(owner, name) for name in sorted(some)))
        self._forgotten(owner, [*some])

    def ended(self, owner: str, names: Iterable[str]) -> None:
        """Note that a commit freed locks."""
        self._forgotten(owner, names)

    async def holders(self, names: Sequence[str]) -> Mapping[str, str]:
        """Say who holds which of the locks that are held, and not dead."""
        return await self._living(await self._desk.read(places.lock(name) for name in names)) if names else {}

    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """Say who holds the locks whose names begin like this; it must have a whole first line."""
        group, line, rest = prefix.partition("\n")
        assert line, "locks lie together by their first line"  # noqa: S101
        found = await self._living(await self._desk.query(places.group_of(group)))
        return {name: owner for name, owner in found.items() if name.startswith(f"{group}\n{rest}")}

    async def _write(self, name: str, owner: str, seconds: float) -> Item | None:
        """Write ourselves into a lock, or return it as it is if it is another's."""
        values = {**_promise(seconds), ":o": {"S": owner}, ":l": {"S": name}}
        words = {
            "Key": places.lock(name).key, "ConditionExpression": "attribute_not_exists(o) OR o = :o",
            "ExpressionAttributeValues": values, "UpdateExpression": "SET o = :o, b = :b, d = :d, x = :x, l = :l",
        }  # fmt: skip
        return await self._change("update_item", **words)

    async def _inherit(self, held: Item, life: str) -> bool:
        """Free a lock of the dead, unless there was a sign of life at last."""
        table, at = self._desk.table, places.lock(held["l"]["S"])
        same = {":o": held["o"], ":b": held["b"]}
        alive = {"TableName": table, "Key": places.life(held["o"]["S"]).key}
        if life:
            alive |= {"ConditionExpression": "b = :b", "ExpressionAttributeValues": {":b": {"S": life}}}
        else:
            alive["ConditionExpression"] = "attribute_not_exists(b)"
        gone = {
            "TableName": table, "Key": at.key, "ConditionExpression": "o = :o AND b = :b",
            "ExpressionAttributeValues": same,
        }  # fmt: skip
        try:
            await self._desk.ask("transact_write_items", TransactItems=[{"Delete": gone}, {"ConditionCheck": alive}])
        except AwsRefusal:
            return False
        return True

    async def _beat(self, owner: str, seconds: float) -> None:
        promise = {name.removeprefix(":"): value for name, value in _promise(seconds).items()}
        await self._change("put_item", Item={**places.life(owner).key, **promise, "o": {"S": owner}})

    async def _lives(self, owners: Iterable[str]) -> dict[str, str]:
        """Read the beats of owners that ever gave a sign of life."""
        found = await self._desk.read(places.life(owner) for owner in owners)
        return {one["o"]["S"]: one["b"]["S"] for one in found}

    async def _free(self, owner: str, name: str) -> None:
        values = {":o": {"S": owner}}
        words = {"ConditionExpression": "o = :o", "ExpressionAttributeValues": values}
        await self._change("delete_item", Key=places.lock(name).key, **words)

    async def _change(self, operation: str, **words: object) -> Item | None:
        """Change a lock, or return it if the condition does not hold: empty when it is not there."""
        pauses = Pauses(_PATIENCE, longest=0.1)
        if "ConditionExpression" in words:
            words["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        while True:
            try:
                await self._desk.ask(operation, TableName=self._desk.table, **words)
            except AwsRefusal as refusal:
                if refusal.code == CONDITION:
                    return refusal.response.get("Item") or {}
                if refusal.code != CONFLICT or not await pauses.rest():
                    raise Contended(f"a lock was asked for by too many: {refusal}", hint="try again") from refusal
            else:
                return None

    async def _living(self, items: Sequence[Item]) -> Mapping[str, str]:
        lives = await self._lives({one["o"]["S"]: None for one in items}) if items else {}
        alive = [one for one in items if not self._is_dead(one, lives.get(one["o"]["S"], ""))]
        return {one["l"]["S"]: one["o"]["S"] for one in alive}

    def _is_dead(self, held: Item, life: str) -> bool:
        """Say whether we have seen the same lock and beat for as long as the owner promised a sign of life."""
        now, name, beat = self._clock(), held["l"]["S"], f"{held['b']['S']} {life}"
        known, since = self._seen.get(name, ("", 0.0))
        if known == beat:
            return now - since >= float(held["d"]["N"])
        if len(self._seen) >= _MANY:
            oldest = sorted(self._seen, key=lambda one: self._seen[one][1])
            self._seen = {one: self._seen[one] for one in oldest[_MANY // 2 :]}
        self._seen[name] = (beat, now)
        return False

    def _forgotten(self, owner: str, names: Iterable[str]) -> None:
        mine = self._mine.get(owner, {})
        for name in names:
            mine.pop(name, None)
        if not mine:
            self._mine.pop(owner, None)


def _promise(seconds: float) -> dict[str, dict[str, str]]:
    """Write a new beat, for how long it is good, and when DynamoDB may remove it."""
    end = int(time.time() + _KEPT)
    return {":b": {"S": uuid.uuid4().hex}, ":d": {"N": f"{seconds:.3f}"}, ":x": {"N": str(end)}}
