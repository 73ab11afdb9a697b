"""From tables and questions to Redshift's SQL. Pure; values are always parameters.

Sources: Amazon Redshift database developer guide, "Data types", "Querying semi-structured data", "LOCK", "Isolation
levels"; Redshift Data API reference, "BatchExecuteStatement". A parameter is a text that is never empty, and is no
longer than a VARCHAR; so facts travel as pieces of JSON. ``::`` is not written, since ``:name`` is a parameter.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

import msgspec

from shoal.drivers.base import FactBatch, FactKind, FactTable, ReportQuery, reports
from shoal.errors import TooLarge

_TEXT = "varchar(65535)"

TYPES: Mapping[FactKind, str] = {
    "text": _TEXT,
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "time": "timestamp",
    "date": "date",
}
"""Times are stored in UTC and without a zone."""

SHOWN: Mapping[FactKind, str] = {**TYPES, "text": "character varying", "time": "timestamp without time zone"}
"""How the catalog spells them."""

PIECE = 60_000
"""Bytes of one parameter; a VARCHAR has 65,535, and a statement of the interface 100 KB."""

TOGETHER = 40
"""Statements that the interface runs in one transaction."""

BATCHES = "shoal_batches"
"""The latest batch of each source, changed in the transaction of the facts."""

Statement = tuple[str, dict[str, str]]
"""Text, and its parameters by name."""

MAKE_BATCHES = f"create table if not exists {BATCHES} (source varchar(64) not null, batch varchar(64) not null)"
LATEST = f"select batch from {BATCHES} where source = :source"  # noqa: S608 - a constant
PRESENT = "select column_name, data_type from svv_columns where table_schema = 'public' and table_name = :name"

_LOCK = f"lock {BATCHES}"
_BEGIN = f"""insert into {BATCHES} (source, batch)
select :source, '' where not exists (select 1 from {BATCHES} where source = :source)"""  # noqa: S608 - a constant
_LATEST = f"select 1 from {BATCHES} where source = :source"  # noqa: S608 - a constant
_AFTER = "batch = :after"
_AFTER_NONE = "batch = ''"
_MARK = re.compile(r":p(\d+)")


def quote(name: str) -> str:
    """Write a name as SQL does."""
    return '"' + name.replace('"', '""') + '"'


DIALECT = reports.Dialect(quote=quote, types=TYPES, mark=lambda number: f":p{number}", wide=True)
"""Redshift sums integers with 38 digits."""


def make(table: FactTable) -> str:
    """Make a table, sorted by its time, so that a report reads the days that it asks for."""
    columns = ", ".join(f"{quote(column.name)} {TYPES[column.kind]}" for column in table.columns)
    return f"create table if not exists {quote(table.name)} ({columns}) sortkey ({quote(table.time)})"


def widen(table: FactTable, column: str, kind: FactKind) -> str:
    """Add a column; earlier facts have null there."""
    return f"alter table {quote(table.name)} add column {quote(column)} {TYPES[kind]}"


def append(batch: FactBatch, tables: Mapping[str, FactTable]) -> tuple[list[str], dict[str, str]]:
    """Append a batch, and note its id last: where it does not follow, neither changes a row.

    The lock comes first, since a transaction sees what was committed before its first question: whoever waits for the
    lock then sees what the other one did.

    Raises:
        TooLarge: One transaction does not take so many facts, or so large a one.
    """
    follows = _AFTER if batch.after else _AFTER_NONE
    parameters = {"source": batch.source, "id": batch.id} | ({"after": batch.after} if batch.after else {})
    statements = [_LOCK, *([] if batch.after else [_BEGIN])]
    number = 0
    for name, columns in batch.facts:
        for piece in _pieces(tables[name], columns):
            parameters[f"facts{number}"] = piece
            statements.append(_insert(tables[name], f"facts{number}", follows))
            number += 1
    statements.append(f"update {BATCHES} set batch = :id where source = :source and {follows}")  # noqa: S608 - constants
    if len(statements) > TOGETHER:
        raise TooLarge(
            f"a batch of {number} pieces of {PIECE} bytes is more than Redshift takes at once",
            hint="keep smaller texts in facts",
        )
    return statements, parameters


def _insert(table: FactTable, parameter: str, follows: str) -> str:
    """Insert many facts with one parameter: a JSON list of lists."""
    names = ", ".join(quote(column.name) for column in table.columns)
    values = ", ".join(_value(number, column.kind) for number, column in enumerate(table.columns))
    facts = f"(select json_parse(:{parameter}) as facts) as given, given.facts as fact"
    latest = f"exists ({_LATEST} and {follows})"
    return f"insert into {quote(table.name)} ({names})\nselect {values}\nfrom {facts}\nwhere {latest}"


def _value(number: int, kind: FactKind) -> str:
    """Read one value. From a text, a bad one is refused; from a number of JSON it would become null."""
    if kind == "boolean":
        return f"cast(fact[{number}] as boolean)"
    text = f"cast(fact[{number}] as {_TEXT})"
    return text if kind == "text" else f"cast({text} as {TYPES[kind]})"


def _pieces(table: FactTable, columns: Sequence[Sequence[object]]) -> Iterator[str]:
    """Write facts as JSON, in pieces that a parameter holds."""
    piece, size = list[bytes](), 0
    for fact in zip(*columns, strict=True):
        values = [_spelled(column.kind, value) for column, value in zip(table.columns, fact, strict=True)]
        row = msgspec.json.encode(values)
        if len(row) > PIECE - 2:
            raise TooLarge(
                f"a fact of {table.name} with {len(row)} bytes is more than Redshift takes",
                hint="keep smaller texts in facts",
            )
        if piece and size + len(row) > PIECE - 2:
            yield _joined(piece)
            piece, size = [], 0
        piece.append(row)
        size += len(row) + 1
    if piece:
        yield _joined(piece)


def _joined(rows: Sequence[bytes]) -> str:
    return f"[{b','.join(rows).decode()}]"


def select(query: ReportQuery) -> Statement:
    """Ask a question."""
    text, values = reports.select(query, DIALECT)
    spelled = [(kind, _spelled(kind, value)) for kind, value in values]

    def mark(found: re.Match[str]) -> str:
        kind, value = spelled[int(found[1])]
        return "''" if value == "" else f"cast({found[0]} as {TYPES[kind]})"

    parameters = {f"p{number}": _parameter(value) for number, (_, value) in enumerate(spelled) if value != ""}
    return _MARK.sub(mark, text), parameters


def forget(table: FactTable, before: datetime) -> Statement:
    """Remove old facts."""
    text = f"delete from {quote(table.name)} where {quote(table.time)} < cast(:before as timestamp)"  # noqa: S608 - quoted names
    return text, {"before": _parameter(_spelled("time", before))}


def _spelled(kind: FactKind, value: object) -> str | bool | None:
    """Write a value as a text, but for those that JSON has itself."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return moment.date().isoformat() if kind == "date" else moment.replace(tzinfo=None).isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def _parameter(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
