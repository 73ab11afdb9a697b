"""Google BigQuery, played: its REST interface by the reference, its SQL translated and run by DuckDB."""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import msgspec
import sqlglot
from aiohttp import web

from tests.drivers.clouds_played import Played

KINDS = {
    "VARCHAR": "STRING", "BIGINT": "INTEGER", "DOUBLE": "FLOAT", "BOOLEAN": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP", "DATE": "DATE", "HUGEINT": "INTEGER",
}  # fmt: skip
STANDARD = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
READ: Mapping[str, Callable[[str], object]] = {
    "STRING": str, "INT64": int, "FLOAT64": float, "BOOL": lambda said: {"true": True, "false": False}[said],
    "TIMESTAMP": lambda said: datetime.fromisoformat(said).astimezone(UTC).replace(tzinfo=None),
    "DATE": date.fromisoformat,
}  # fmt: skip
FIELDS = {
    *("query", "useLegacySql", "parameterMode", "queryParameters", "defaultDataset"),
    *("timeoutMs", "maxResults", "requestId", "formatOptions", "location"),
}
PROJECT, DATASET = "town", "facts"
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as DuckDB has it


class FailedError(Exception):
    """A query that BigQuery would refuse."""


class PlayedBigQuery(Played):
    """One dataset."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = duckdb.connect()
        self.slow = self.lost = self.overtaken = 0
        """Answers that come later, or do not come although it was done; transactions that others end."""
        self.numbers = itertools.count()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.done: dict[str, dict[str, Any]] = {}
        """By id of the request."""

    @property
    def url(self) -> str:
        return f"bigquery://{PROJECT}/{DATASET}?location=EU&api={self.place}&tls=0"

    async def answer(self, request: web.Request) -> web.Response:
        if self.lends(request):
            return web.json_response({"access_token": "t", "expires_in": 3599, "token_type": "Bearer"})
        assert request.headers["authorization"] == "Bearer t"
        head, _, job = request.path.partition("/queries")
        assert head == f"/bigquery/v2/projects/{PROJECT}"
        if request.method == "GET":
            return self._page(job.removeprefix("/"), request.query)
        return self._run(msgspec.json.decode(await request.read()))

    def _run(self, asked: Mapping[str, Any]) -> web.Response:
        assert set(asked) <= FIELDS
        assert asked["defaultDataset"] == {"projectId": PROJECT, "datasetId": DATASET}
        assert asked["useLegacySql"] is False
        assert asked["formatOptions"] == {"useInt64Timestamp": True}
        if self.overtaken:
            self.overtaken -= 1
            return _refused(400, "invalidQuery", "Transaction is aborted due to concurrent update against table x")
        if asked["requestId"] not in self.done:
            try:
                self.done[asked["requestId"]] = self._result(asked["query"], asked["queryParameters"])
            except (duckdb.Error, FailedError) as error:
                return _refused(400, "invalidQuery", f"Query error: {error} at [1:1]")
        if self.lost:
            self.lost -= 1
            return _refused(503, "backendError", "try again")
        job = f"job_{next(self.numbers)}"
        self.jobs[job] = self.done[asked["requestId"]]
        if self.slow:
            self.slow -= 1
            return web.json_response({"jobReference": _reference(job), "jobComplete": False})
        return self._page(job, {"maxResults": str(asked["maxResults"])})

    def _page(self, job: str, query: Mapping[str, str]) -> web.Response:
        result, size, begin = self.jobs[job], int(query["maxResults"]), int(query.get("pageToken", "0"))
        more = {"pageToken": str(begin + size)} if begin + size < len(result["rows"]) else {}
        rows = result["rows"][begin : begin + size]
        found = {**result, "rows": rows, **more, "jobComplete": True, "jobReference": _reference(job)}
        return web.json_response(found)

    def _result(self, text: str, parameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        values = {p["name"]: READ[p["parameterType"]["type"]](p["parameterValue"]["value"]) for p in parameters}
        cursor, changed, found = self.connection.cursor(), 0, None
        try:
            for statement in text.split(";\n"):
                if statement.startswith("if "):
                    _require(statement, changed)
                    continue
                found = cursor.execute(*_translated(statement, values))
                if re.match("insert|update|delete", statement):
                    changed = found.fetchall()[0][0]
            described = (found.description or []) if found is not None else []
            rows = found.fetchall() if found is not None else []
        finally:
            cursor.close()  # rolls back what is open
        fields = [{"name": name, "type": KINDS[str(kind)]} for name, kind, *_ in described]
        told = [{"f": [{"v": _told(value)} for value in row]} for row in rows]
        return {"schema": {"fields": fields}, "rows": told, "numDmlAffectedRows": str(changed)}


def _require(statement: str, changed: int) -> None:
    found = re.fullmatch(r"if @@row_count = 0 then raise using message = '(.*)'; end if", statement)
    assert found, statement
    if not changed:
        raise FailedError(found[1])


def _translated(statement: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    if "INFORMATION_SCHEMA" in statement:
        cases = " ".join(f"when '{k}' then '{STANDARD.get(v, v)}'" for k, v in KINDS.items())
        columns = f"column_name, case data_type {cases} end as data_type"
        text = f"select {columns} from information_schema.columns where table_name = $name"  # noqa: S608 - ours
    else:
        (parsed,) = sqlglot.parse(statement, read="bigquery", error_level=sqlglot.ErrorLevel.RAISE)
        assert parsed is not None
        assert parsed.key != "command", statement
        text = parsed.sql(dialect="duckdb").replace("TIMESTAMPTZ", "TIMESTAMP")  # which needs no zones: all is in UTC
    return text, {name: value for name, value in values.items() if re.search(rf"\${name}\b", text)}


def _reference(job: str) -> dict[str, str]:
    return {"projectId": PROJECT, "jobId": job, "location": "EU"}


def _refused(status: int, reason: str, message: str) -> web.Response:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return web.json_response({"error": error}, status=status)


def _told(value: object) -> str | None:
    if isinstance(value, datetime):
        since = value - EPOCH
        return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)
