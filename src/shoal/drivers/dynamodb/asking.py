"""Questions to DynamoDB: asked again while it is throttled, in as many requests as its limits demand."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from shoal.drivers.aws.client import AwsClient, AwsRefusal, Json
from shoal.drivers.base.pauses import Pauses
from shoal.drivers.dynamodb.places import Place
from shoal.drivers.dynamodb.values import COLUMNS
from shoal.errors import EngineError, TimedOut, Unavailable, Unstorable

Item = Mapping[str, Any]

OPENING, PINGING = 5.0, 1.0
"""Seconds for the first answer, and for a sign of life."""

LONGEST = 20.0
"""Seconds for one question, however many requests it takes."""

THROTTLED = 8.0
"""Seconds for which a throttled request is repeated."""

_BATCH = 100
"""Items that one BatchGetItem reads."""

_ATTEMPTS = 3
"""Of a request that may be repeated although nobody knows what became of it."""

CONDITION, CANCELED, CONFLICT = (
    "ConditionalCheckFailedException", "TransactionCanceledException", "TransactionConflictException",
)  # fmt: skip
PASSED_ON = frozenset({CONDITION, CANCELED, CONFLICT})
"""Codes of answers that only the one who asked understands."""


class Desk:
    """One table, and the client that asks for it."""

    def __init__(self, client: AwsClient, table: str) -> None:
        self._client, self.table = client, table

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def ask(self, operation: str, **words: object) -> Json:
        """Ask once, or again while it is throttled; raises `AwsRefusal` only with a code of `PASSED_ON`."""
        pauses = Pauses(THROTTLED)
        while True:
            try:
                return await self._client.ask(operation, **words)
            except AwsRefusal as refusal:
                if refusal.code in PASSED_ON and not throttled(refusal):
                    raise
                if refusal.code == "TransactionInProgressException" or throttled(refusal):
                    if await pauses.rest():
                        continue
                    raise Unavailable(
                        f"DynamoDB throttled {operation} for {THROTTLED:g} s", hint="ask for less, or raise its limits"
                    ) from refusal
                raise self._meaning(refusal) from refusal

    async def insist(self, operation: str, **words: object) -> Json:
        """Ask for what may be repeated, also when nobody knows what became of it."""
        pauses = Pauses(2.0)
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self.ask(operation, **words)
            except Unavailable:
                if not await pauses.rest():
                    raise
        return await self.ask(operation, **words)

    async def read(self, places: Iterable[Place]) -> list[Item]:
        """Read the items that there are, as last committed."""
        wanted = [*dict.fromkeys(places)]
        if len(wanted) == 1:
            found = await self.insist("get_item", TableName=self.table, Key=wanted[0].key, ConsistentRead=True)
            return [found["Item"]] if "Item" in found else []
        parts = [wanted[first : first + _BATCH] for first in range(0, len(wanted), _BATCH)]
        return [item for part in await asyncio.gather(*map(self._batch, parts)) for item in part]

    async def _batch(self, places: Sequence[Place]) -> list[Item]:
        """Read up to 100 items; DynamoDB may leave some to the next request."""
        items: list[Item] = []
        left: Sequence[object] = [place.key for place in places]
        pauses = Pauses(LONGEST, first=0.001)
        while left:
            asked = {self.table: {"Keys": left, "ConsistentRead": True}}
            answer = await self.insist("batch_get_item", RequestItems=asked)
            items += answer["Responses"].get(self.table, [])
            left = answer.get("UnprocessedKeys", {}).get(self.table, {}).get("Keys", [])
            if left and not await pauses.rest():
                raise TimedOut(f"DynamoDB did not read {len(left)} items within {LONGEST:g} s", hint="ask for less")
        return items

    async def query(self, partition: str, limit: int | None = None, **words: Any) -> list[Item]:
        """Read a partition in the order of its sort keys, as last committed, in as many pages as it takes.

        Args:
            partition: Which.
            limit: Items that are wanted at most.
            words: Further words of the request; ``above`` is a sort key that all must exceed.
        """
        condition, values = "p = :p", {":p": {"S": partition}, **words.pop("values", {})}
        if above := words.pop("above", ""):
            condition, values = f"{condition} AND s > :s", {**values, ":s": {"S": above}}
        asked = {
            "TableName": self.table, "KeyConditionExpression": condition, "ExpressionAttributeValues": values,
            "ConsistentRead": True, **words,
        }  # fmt: skip
        items: list[Item] = []
        while True:
            page = {} if limit is None else {"Limit": limit - len(items)}
            answer = await self.insist("query", **asked, **page)
            items += answer["Items"]
            last = answer.get("LastEvaluatedKey")
            if not last or (limit is not None and len(items) >= limit):
                return items
            asked["ExclusiveStartKey"] = last

    async def count(self, partition: str) -> int:
        """Count the rows of a partition, without what was removed and is only remembered."""
        asked: dict[str, Any] = {
            "TableName": self.table, "KeyConditionExpression": "p = :p", "Select": "COUNT", "ConsistentRead": True,
            "ExpressionAttributeValues": {":p": {"S": partition}}, "FilterExpression": f"attribute_exists({COLUMNS})",
        }  # fmt: skip
        found = 0
        while True:
            answer = await self.insist("query", **asked)
            found += int(answer["Count"])
            if not (last := answer.get("LastEvaluatedKey")):
                return found
            asked["ExclusiveStartKey"] = last

    async def pages(self, partition: str, size: int) -> AsyncIterator[list[Item]]:
        """Read a partition as `query` does, but so many items at a time, of which none need be there afterwards."""
        above = ""
        while items := await self.query(partition, size, above=above):
            yield items
            above = items[-1]["s"]["S"]

    def _meaning(self, refusal: AwsRefusal) -> EngineError:
        if refusal.away or refusal.outdated:
            return Unavailable(f"DynamoDB failed: {refusal}", hint="try again")
        if refusal.code == "ResourceNotFoundException":
            hint = "the operator makes it: a table with the keys p and s (docs/how-to/engines.md)"
            return EngineError(f"DynamoDB has no table {self.table!r}", hint=hint)
        if refusal.code == "ValidationException" and "size" in refusal.message.lower():
            return Unstorable(f"{refusal}", hint="a document has 400 KB at most; keep what is large in an object store")
        return EngineError(f"DynamoDB refused {refusal}")


def throttled(refusal: AwsRefusal) -> bool:
    """Say whether nothing was done because too much is asked at the moment, also of a transaction."""
    reasons = {reason.get("Code") for reason in refusal.response.get("CancellationReasons", ())} - {"None", None}
    return refusal.throttled or (bool(reasons) and reasons <= {"ThrottlingError", "ProvisionedThroughputExceeded"})
