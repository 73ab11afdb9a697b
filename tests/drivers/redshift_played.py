"""Amazon Redshift's Data API, played: its operations by the reference, its SQL translated and run by DuckDB."""

import itertools
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import duckdb
import msgspec
import sqlglot
from aiohttp import web

from tests.drivers.clouds_played import Played

WORKGROUP, DATABASE = "town-facts", "facts"
KINDS = {
    "VARCHAR": "varchar", "BIGINT": "int8", "DOUBLE": "float8", "BOOLEAN": "bool", "TIMESTAMP": "timestamp",
    "DATE": "date", "HUGEINT": "numeric",
}  # fmt: skip
SHOWN = {"VARCHAR": "character varying", "DOUBLE": "double precision", "TIMESTAMP": "timestamp without time zone"}
LONGEST, LARGEST, TOGETHER = 100_000, 65_535, 40
"""Bytes of a statement, and of a parameter; statements of a transaction."""
FIELDS = {"ClientToken", "WorkgroupName", "Database", "Parameters"}


class PlayedRedshift(Played):
    """One database of one workgroup."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = duckdb.connect()
        self.slow = self.lost = self.overtaken = self.stopped = 0
        """Statements that take longer, whose answer does not come, that others end, and that somebody stops."""
        self.page = 1000
        self.numbers = itertools.count()
        self.statements: dict[str, dict[str, Any]] = {}
        self.by_token: dict[str, str] = {}
        self.operations: list[str] = []
        self.meanwhile: tuple[str, Callable[[], Awaitable[object]]] | None = None
        """What another process does just before a statement that begins so is run."""

    @property
    def url(self) -> str:
        return f"redshift://key:secret@{self.place}/{WORKGROUP}/{DATABASE}?region=eu-central-1&tls=0"

    def too_much(self) -> web.Response:
        return _refused(400, "ActiveStatementsExceededException", "too many")

    async def answer(self, request: web.Request) -> web.Response:
        assert "/eu-central-1/redshift-data/aws4_request" in request.headers["authorization"]
        operation = request.headers["x-amz-target"].removeprefix("RedshiftData.")
        asked = msgspec.json.decode(await request.read())
        self.operations.append(operation)
        if operation == "DescribeStatement":
            return self._described(asked["Id"])
        if operation == "GetStatementResult":
            return self._result(asked["Id"], int(asked.get("NextToken", "0")))
        texts = [asked["Sql"]] if operation == "ExecuteStatement" else asked["Sqls"]
        assert set(asked) <= {*FIELDS, "Sql" if operation == "ExecuteStatement" else "Sqls"}
        if self.meanwhile is not None and texts[0].startswith(self.meanwhile[0]):
            (_, another), self.meanwhile = self.meanwhile, None
            await another()
        return self._begun(texts, asked)

    def _begun(self, texts: Sequence[str], asked: Mapping[str, Any]) -> web.Response:
        if asked["WorkgroupName"] != WORKGROUP or asked["Database"] != DATABASE:
            return _refused(400, "ResourceNotFoundException", "no such workgroup")
        named = {one["name"]: one["value"] for one in asked.get("Parameters", ())}
        assert all(0 < len(value.encode()) <= LARGEST for value in named.values())
        assert all(any(re.search(rf":{name}\b", text) for text in texts) for name in named), "each has to be used"
        if len(texts) > TOGETHER or any(len(text) > LONGEST for text in texts):
            return _refused(400, "ValidationException", "too long")
        token = asked["ClientToken"]
        if token not in self.by_token:
            self.by_token[token] = str(uuid5(NAMESPACE_OID, str(next(self.numbers))))
            self.statements[self.by_token[token]] = self._done(texts, named)
        if self.lost:
            self.lost -= 1
            return _refused(500, "InternalServerException", "try again")
        return web.json_response({"Id": self.by_token[token], "CreatedAt": 1.7e9, "WorkgroupName": WORKGROUP})

    def _done(self, texts: Sequence[str], named: Mapping[str, str]) -> dict[str, Any]:
        if self.overtaken:
            self.overtaken -= 1
            return {"Status": "FAILED", "Error": "ERROR: 1023 DETAIL: Serializable isolation violation on table - 1"}
        cursor, told = self.connection.cursor(), list[dict[str, Any]]()
        cursor.execute("begin transaction")
        try:
            told = [_run(cursor, text, named) for text in texts]
            cursor.execute("commit")
        except duckdb.Error as error:
            return {"Status": "FAILED", "Error": f"ERROR: {error}"}
        finally:
            cursor.close()  # rolls back what is open
        return {"Status": "FINISHED", **told[-1], "SubStatements": told if len(told) > 1 else []}

    def _described(self, statement: str) -> web.Response:
        found = {key: value for key, value in self.statements[statement].items() if key not in ("rows", "kinds")}
        for status in ("slow", "stopped"):
            if getattr(self, status):
                setattr(self, status, getattr(self, status) - 1)
                said = "STARTED" if status == "slow" else "ABORTED"
                return web.json_response({"Id": statement, "Status": said, "HasResultSet": False})
        parts = [
            {"Id": f"{statement}:{number}", "Status": "FINISHED", "ResultRows": part["ResultRows"]}
            for number, part in enumerate(found.get("SubStatements", ()), 1)
        ]
        return web.json_response({**found, "Id": statement, "SubStatements": parts})

    def _result(self, statement: str, begin: int) -> web.Response:
        found = self.statements[statement]
        more = {"NextToken": str(begin + self.page)} if begin + self.page < len(found["rows"]) else {}
        columns = [{"name": name, "label": name, "typeName": kind} for name, kind in found["kinds"]]
        rows = found["rows"][begin : begin + self.page]
        total = len(found["rows"])
        return web.json_response({"Records": rows, "ColumnMetadata": columns, "TotalNumRows": total, **more})


def _run(cursor: duckdb.DuckDBPyConnection, text: str, named: Mapping[str, str]) -> dict[str, Any]:
    if text.startswith("lock "):
        return {"HasResultSet": False, "ResultRows": -1}
    translated = _translated(text)
    found = cursor.execute(translated, {name: value for name, value in named.items() if f"${name}" in translated})
    if not text.startswith("select "):
        changed = re.match("insert|update|delete", text)
        return {"HasResultSet": False, "ResultRows": found.fetchall()[0][0] if changed else -1}
    kinds = [(name.lower(), KINDS[str(kind)]) for name, kind, *_ in found.description or ()]
    rows = [[_field(kind, value) for (_, kind), value in zip(kinds, row, strict=True)] for row in found.fetchall()]
    return {"HasResultSet": True, "ResultRows": len(rows), "rows": rows, "kinds": kinds}


def _translated(text: str) -> str:
    if "svv_columns" in text:
        cases = " ".join(f"when '{k}' then '{v}'" for k, v in SHOWN.items())
        columns = f"column_name, case data_type {cases} else lower(data_type) end as data_type"
        return f"select {columns} from information_schema.columns where table_name = $name"  # noqa: S608 - ours
    (parsed,) = sqlglot.parse(text, read="redshift", error_level=sqlglot.ErrorLevel.RAISE)
    assert parsed is not None
    assert parsed.key != "command", text
    plain = parsed.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.IGNORE)
    return re.sub(r"JSON\((\$\w+)\)", r"""FROM_JSON(\1, '[["VARCHAR"]]')""", plain)


_FIELDS: Mapping[str, Callable[[Any], dict[str, object]]] = {
    "int8": lambda value: {"longValue": value},
    "float8": lambda value: {"doubleValue": value},
    "bool": lambda value: {"booleanValue": value},
}


def _field(kind: str, value: object) -> dict[str, object]:
    if value is None:
        return {"isNull": True}
    if kind in _FIELDS:
        return _FIELDS[kind](value)
    if isinstance(value, datetime):
        return {"stringValue": value.isoformat(" ").rstrip("0") if value.microsecond else value.isoformat(" ")}
    return {"stringValue": value.isoformat() if isinstance(value, date) else str(value)}


def _refused(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"__type": code, "message": message}, status=status)
