"""Queries of BigQuery over its REST interface, each waited for.

Sources: BigQuery REST reference, "jobs.query", "jobs.getQueryResults"; "Error messages".
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from shoal.drivers.base import Row
from shoal.drivers.base.bearer import Bearer
from shoal.drivers.base.observing import Stating
from shoal.drivers.base.pauses import Pauses, insist
from shoal.drivers.base.rest import Reply, Rest
from shoal.drivers.bigquery.sql import Parameter
from shoal.errors import Contended, EngineError, TooLarge, Unavailable

WAIT = 10_000
"""Milliseconds that one request waits for a query."""

PAGE = 2_000
"""Rows of one answer."""

LARGEST = 9_500_000
"""Bytes of a request; the interface takes ten million."""

PATIENCE = 20.0
"""Seconds for which it is tried again, when there is too much to do."""

_UNAUTHORIZED, _TOO_MANY = 401, 429
_AGAIN = frozenset({"backendError", "internalError", "jobBackendError", "jobInternalError", "rateLimitExceeded"})
_PLAIN = "prettyPrint=false"
_TOGETHER = "aborted due to concurrent update"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HINTS = {
    "accessDenied": "give it roles/bigquery.jobUser on the project and roles/bigquery.dataEditor on the dataset",
    "notFound": "make the dataset first, and name its location in the URL",
}
_READ: Mapping[str, Callable[[str], object]] = {
    "INTEGER": int,
    "INT64": int,
    "FLOAT": float,
    "FLOAT64": float,
    "BOOLEAN": lambda said: said == "true",
    "BOOL": lambda said: said == "true",
    "TIMESTAMP": lambda said: _EPOCH + timedelta(microseconds=int(said)),
    "DATE": date.fromisoformat,
}


class Refused(EngineError):
    """A query was refused, with these words."""


class _Overtaken(EngineError):
    """Another transaction was quicker; asking for the same job again does not help."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a query."""

    rows: Sequence[Row] = ()
    changed: int = 0
    """Rows that a statement has changed."""


class Jobs:
    """Asks in one dataset."""

    def __init__(self, rest: Rest, base: str, bearer: Bearer, *, project: str, dataset: str, location: str) -> None:
        self._rest, self._bearer, self.dataset = rest, bearer, f"{project}.{dataset}"
        self._queries = f"{base}/bigquery/v2/projects/{project}/queries"
        self._default = {"projectId": project, "datasetId": dataset}
        self._location = {"location": location} if location else {}

    async def ask(self, sql: str, parameters: Sequence[Parameter] = ()) -> Answer:
        """Run a query, or several statements, and read all that it answers.

        Raises:
            Refused: The query failed.
            Contended: Another transaction was quicker.
            Unavailable: There was no answer; it may have been done nevertheless.
        """
        body = msgspec.json.encode(self._request(sql, parameters))
        if len(body) > LARGEST:
            raise TooLarge(
                f"a request of {len(body)} bytes is more than BigQuery takes", hint="keep smaller texts in facts"
            )
        try:
            with Stating("gcp.bigquery", sql, self.dataset):
                return await self._read(await self._insist("POST", f"{self._queries}?{_PLAIN}", body))
        except _Overtaken as error:
            raise Contended(error.message, hint="try again") from error

    async def close(self) -> None:
        """Let go of every connection."""
        await self._rest.close()

    def _request(self, sql: str, parameters: Sequence[Parameter]) -> Mapping[str, object]:
        named = [{"name": n, "parameterType": {"type": t}, "parameterValue": {"value": v}} for n, t, v in parameters]
        return {
            "query": sql, "useLegacySql": False, "parameterMode": "NAMED", "queryParameters": named,
            "defaultDataset": self._default, "timeoutMs": WAIT, "maxResults": PAGE, "requestId": str(uuid.uuid4()),
            "formatOptions": {"useInt64Timestamp": True}, **self._location,
        }  # fmt: skip

    async def _read(self, found: Mapping[str, Any]) -> Answer:
        """Wait until the query is done, and read page after page."""
        while not found.get("jobComplete"):
            found = await self._more(found, "")
        rows, changed = _rows(found), int(found.get("numDmlAffectedRows", 0))
        while found.get("pageToken"):
            found = await self._more(found, found["pageToken"])
            rows += _rows(found)
        return Answer(rows=rows, changed=changed)

    async def _more(self, found: Mapping[str, Any], page: str) -> Mapping[str, Any]:
        job = found["jobReference"]
        place = f"&location={job['location']}" if job.get("location") else ""
        asked = f"{_PLAIN}&timeoutMs={WAIT}&maxResults={PAGE}&formatOptions.useInt64Timestamp=true{place}"
        asked += f"&pageToken={quote(page, safe='')}" if page else ""
        return await self._insist("GET", f"{self._queries}/{job['jobId']}?{asked}")

    async def _insist(self, method: str, url: str, body: bytes = b"") -> Mapping[str, Any]:
        return await insist(lambda: self._send(method, url, body), Pauses(PATIENCE, first=0.2, longest=4.0))

    async def _send(self, method: str, url: str, body: bytes = b"") -> Mapping[str, Any]:
        headers = {**await self._bearer.headers(), "content-type": "application/json"}
        reply = await self._rest.ask(method, url, headers, body)
        found = reply.read()
        if reply.status == 200 and isinstance(found, dict):
            return found
        raise self._meaning(reply, found)

    def _meaning(self, reply: Reply, found: object) -> EngineError:
        error: Mapping[str, Any] = found.get("error", {}) if isinstance(found, dict) else {}
        reason = str((error.get("errors") or [{}])[0].get("reason", ""))
        said = f"BigQuery refused {self.dataset}: {reply.status} {reason} {error.get('message', '')}".rstrip()
        if reply.status == _UNAUTHORIZED:
            self._bearer.forget()
            return Unavailable(said, hint="is the service account of this process disabled?")
        if _TOGETHER in said:
            return _Overtaken(said)
        if reply.status in (200, _TOO_MANY) or reply.status >= 500 or reason in _AGAIN:
            return Unavailable(said, hint="try again")
        return Refused(said, hint=_HINTS.get(reason, ""))


def _rows(found: Mapping[str, Any]) -> list[Row]:
    fields = [(field["name"], _READ.get(field["type"], str)) for field in found.get("schema", {}).get("fields", ())]
    return [
        {
            name: None if cell["v"] is None else read(cell["v"])
            for (name, read), cell in zip(fields, row["f"], strict=True)
        }
        for row in found.get("rows", ())
    ]
