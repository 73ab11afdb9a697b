"""Statements by the Redshift Data API, each waited for; nobody connects to the database itself.

Sources: Redshift Data API reference, "ExecuteStatement", "BatchExecuteStatement", "DescribeStatement",
"GetStatementResult". A statement that is sent again with its token runs once. Batches take parameters since July 2026.
"""

import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from shoal.drivers.aws.client import AwsClient, AwsRefusal, Json
from shoal.drivers.base.observing import Stating, unheard
from shoal.drivers.base.pauses import Pauses, insist
from shoal.errors import Contended, EngineError, Unavailable, Unstorable

SYSTEM = "aws.redshift"
"""How its spans are told."""

PATIENCE = 20.0
"""Seconds for which it is asked again, when there is too much to do."""

FIRST, LAST = 0.05, 1.0
"""Seconds after which it is looked whether a statement is done: at first, and at most."""

_BUSY = frozenset({"ActiveStatementsExceededException", "ActiveSessionsExceededException"})
_TOGETHER = ("serializable isolation violation", "concurrent transaction")
"""What a transaction is ended with that was not alone."""

_HINTS = {
    "AccessDeniedException": "give its role redshift-data:ExecuteStatement and BatchExecuteStatement, and "
    "redshift-serverless:GetCredentials, on the workgroup",
    "ResourceNotFoundException": "make the workgroup and its database first",
}
_READ: Mapping[str, Callable[[str], object]] = {
    "timestamp": lambda said: datetime.fromisoformat(said).replace(tzinfo=UTC),
    "date": date.fromisoformat,
}


class Refused(EngineError):
    """A statement was refused, with these words."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a statement."""

    rows: Sequence[Sequence[object]] = ()
    changed: int = 0
    """Rows that it has changed."""


class Statements:
    """Asks in one database of one workgroup."""

    def __init__(self, client: AwsClient, workgroup: str, database: str) -> None:
        self._client, self.place = client, f"{workgroup}/{database}"
        self._where = {"WorkgroupName": workgroup, "Database": database}

    async def ask(self, text: str, parameters: Mapping[str, str] | None = None) -> Answer:
        """Run a statement, and read all that it answers.

        Raises:
            Refused: It failed.
            Contended: Another transaction was quicker.
            Unavailable: There was no answer; it may have been done nevertheless.
        """
        with Stating(SYSTEM, text, self.place), unheard():
            told = await self._run("execute_statement", Sql=text, **_named(parameters or {}))
            rows = await self._rows(str(told["Id"])) if told.get("HasResultSet") else ()
            return Answer(rows=rows, changed=max(0, int(told.get("ResultRows", 0))))

    async def together(self, texts: Sequence[str], parameters: Mapping[str, str]) -> int:
        """Run statements in one transaction, and return how many rows the last one has changed. Raises as `ask`."""
        with Stating(SYSTEM, ";\n".join(texts), self.place), unheard():
            told = await self._run("batch_execute_statement", Sqls=[*texts], **_named(parameters))
            return max(0, int(told["SubStatements"][-1].get("ResultRows", 0)))

    async def close(self) -> None:
        """Let go of every connection."""
        await self._client.close()

    async def _run(self, operation: str, **words: object) -> Json:
        """Send what is to be run, and wait until it is over."""
        token = str(uuid.uuid4())
        begun = await self._insist(operation, ClientToken=token, **self._where, **words)
        pauses = Pauses(math.inf, first=FIRST, longest=LAST)
        while True:
            told = await self._insist("describe_statement", Id=begun["Id"])
            if told["Status"] == "FINISHED":
                return told
            if told["Status"] == "FAILED":
                raise self._failure(str(told.get("Error", "")))
            if told["Status"] == "ABORTED":
                raise Unavailable(f"Redshift ended a statement in {self.place}", hint="somebody stopped it; try again")
            await pauses.rest()

    async def _rows(self, statement: str) -> list[tuple[object, ...]]:
        """Read page after page."""
        rows, more = list[tuple[object, ...]](), dict[str, object]()
        while True:
            page = await self._insist("get_statement_result", Id=statement, **more)
            kinds = [str(column["typeName"]) for column in page["ColumnMetadata"]]
            rows += [tuple(map(_value, kinds, record)) for record in page["Records"]]
            if not page.get("NextToken"):
                return rows
            more = {"NextToken": page["NextToken"]}

    async def _insist(self, operation: str, **words: object) -> Json:
        return await insist(lambda: self._ask(operation, **words), Pauses(PATIENCE, first=0.2, longest=4.0))

    async def _ask(self, operation: str, **words: object) -> Json:
        try:
            return await self._client.ask(operation, **words)
        except AwsRefusal as refusal:
            said = f"Redshift refused {self.place}: {refusal}"
            if refusal.throttled or refusal.away or refusal.outdated or refusal.code in _BUSY:
                raise Unavailable(said, hint="try again") from refusal
            raise Refused(said, hint=_HINTS.get(refusal.code, "")) from refusal
        except Unstorable as error:
            said = f"the client of Amazon's interfaces does not know what Redshift is asked: {error.message}"
            raise EngineError(said, hint="it is older than August 2026: pip install -U aiobotocore") from error

    def _failure(self, error: str) -> EngineError:
        said = f"Redshift refused a statement in {self.place}: {error}"
        if any(words in error.lower() for words in _TOGETHER):
            return Contended(said, hint="try again")
        return Refused(said)


def _named(parameters: Mapping[str, str]) -> dict[str, object]:
    return {"Parameters": [{"name": name, "value": value} for name, value in parameters.items()]} if parameters else {}


def _value(kind: str, field: Mapping[str, Any]) -> object:
    """Read one value, which is told with its type: ``{"longValue": 5}``."""
    if field.get("isNull"):
        return None
    (value,) = (value for name, value in field.items() if name != "isNull")
    return _READ[kind](value) if kind in _READ else value
