"""The one table of each service, made by the operator."""

import asyncio
from collections.abc import Sequence

from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.drivers.base import Account
from shoal.drivers.dynamodb.values import END
from shoal.errors import EngineError, Unavailable

_MADE_WITHIN = 60.0
"""Seconds that DynamoDB gets for making a table."""

_PAUSE = 0.5


class DynamoAdmin:
    """A `base.StoreAdmin`; its URL must be the operator's. Who may use a table is said by IAM, and not here."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def declare(self, accounts: Sequence[Account]) -> None:
        """Make the tables that are not there, billed by request."""
        try:
            await asyncio.gather(*(self._make(account.database) for account in accounts))
        finally:
            await self._client.close()

    async def _make(self, table: str) -> None:
        try:
            await self._client.ask(
                "create_table", TableName=table, BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("p", "s")],
            )  # fmt: skip
        except AwsRefusal as refusal:
            if refusal.code != "ResourceInUseException":
                raise _meaning(table, refusal) from refusal
        try:
            async with asyncio.timeout(_MADE_WITHIN):
                while True:
                    if await self._state(table) == "ACTIVE":
                        break
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise Unavailable(f"DynamoDB did not make the table {table} in time", hint="try again") from None
        await self._let_go_of_old(table)

    async def _state(self, table: str) -> str:
        try:
            found = await self._client.ask("describe_table", TableName=table)
        except AwsRefusal as refusal:
            if refusal.code == "ResourceNotFoundException":  # it was made a moment ago
                return ""
            raise _meaning(table, refusal) from refusal
        return str(found["Table"]["TableStatus"])

    async def _let_go_of_old(self, table: str) -> None:
        try:
            known = await self._client.ask("describe_time_to_live", TableName=table)
            if known["TimeToLiveDescription"]["TimeToLiveStatus"] == "DISABLED":
                wanted = {"Enabled": True, "AttributeName": END}
                await self._client.ask("update_time_to_live", TableName=table, TimeToLiveSpecification=wanted)
        except AwsRefusal as refusal:
            raise _meaning(table, refusal) from refusal


def _meaning(table: str, refusal: AwsRefusal) -> EngineError:
    kind = Unavailable if refusal.away or refusal.throttled else EngineError
    return kind(f"DynamoDB did not make the table {table}: {refusal}")
