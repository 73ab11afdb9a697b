"""From tables and questions to GoogleSQL. Pure; values are always parameters.

Sources: "GoogleSQL query syntax", "Data definition language", "Multi-statement transactions", "Procedural language".
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from shoal.drivers.base import FactBatch, FactKind, FactTable, reports

TYPES: Mapping[FactKind, str] = {
    "text": "STRING",
    "integer": "INT64",
    "number": "FLOAT64",
    "boolean": "BOOL",
    "time": "TIMESTAMP",
    "date": "DATE",
}

BATCHES = "shoal_batches"
"""The latest batch of each source, changed in the transaction of the facts."""

GAP = "shoal: not the latest batch"
"""What a batch is refused with that does not follow."""

Parameter = tuple[str, str, str]
"""Name, type, and the value as text."""

Statement = tuple[str, list[Parameter]]

MAKE_BATCHES = f"create table if not exists `{BATCHES}` (source STRING not null, batch STRING not null)"
LATEST = f"select batch from `{BATCHES}` where source = @source"  # noqa: S608 - a constant
PRESENT = "select column_name, data_type from INFORMATION_SCHEMA.COLUMNS where table_name = @name"

_BEGIN = f"""insert into `{BATCHES}` (source, batch)
select @source, '' from (select 1) where not exists (select 1 from `{BATCHES}` where source = @source)"""  # noqa: S608
_FOLLOW = f"update `{BATCHES}` set batch = @id where source = @source and batch = @after"  # noqa: S608 - a constant
_OR_NOT = f"if @@row_count = 0 then raise using message = '{GAP}'; end if"


def quote(name: str) -> str:
    """Write a name; it has letters, digits and underscores."""
    return f"`{name}`"


DIALECT = reports.Dialect(quote=quote, types=TYPES, mark=lambda number: f"@p{number}")


def make(table: FactTable) -> str:
    """Make a table, in parts by the day of its time, so that a report pays for the days that it asks for."""
    columns = ", ".join(f"{quote(column.name)} {TYPES[column.kind]}" for column in table.columns)
    time = quote(table.time)
    day = time if reports.kind_of(table, table.time) == "date" else f"date({time})"
    return f"create table if not exists {quote(table.name)} ({columns}) partition by {day}"


def widen(table: FactTable, column: str, kind: FactKind) -> str:
    """Add a column; earlier facts have null there."""
    return f"alter table {quote(table.name)} add column if not exists {quote(column)} {TYPES[kind]}"


def append(batch: FactBatch, tables: Mapping[str, FactTable]) -> Statement:
    """Append a batch and note its id in one transaction, which ends without a trace when it does not follow."""
    parameters: list[Parameter] = [text("source", batch.source), text("id", batch.id), text("after", batch.after)]
    statements = ["begin transaction", *([] if batch.after else [_BEGIN]), _FOLLOW, _OR_NOT]
    for number, (name, columns) in enumerate(batch.facts):
        statements.append(_insert(tables[name], f"facts{number}"))
        facts = msgspec.json.encode([*zip(*columns, strict=True)]).decode()
        parameters.append(text(f"facts{number}", facts))
    return ";\n".join([*statements, "commit transaction"]), parameters


def _insert(table: FactTable, parameter: str) -> str:
    """Insert many facts with one parameter: a JSON list of lists."""
    names = ", ".join(quote(column.name) for column in table.columns)
    values = ", ".join(f"cast(json_value(fact, '$[{n}]') as {TYPES[c.kind]})" for n, c in enumerate(table.columns))
    facts = f"unnest(json_query_array(@{parameter})) as fact"
    return f"insert into {quote(table.name)} ({names})\nselect {values} from {facts}"


def forget(table: FactTable, before: datetime) -> Statement:
    """Remove old facts."""
    sql = f"delete from {quote(table.name)} where {quote(table.time)} < @before"  # noqa: S608 - quoted names
    return sql, [parameter("before", reports.kind_of(table, table.time), before)]


def parameters(values: Sequence[tuple[FactKind, object]]) -> list[Parameter]:
    """Name the values of a report."""
    return [parameter(f"p{number}", kind, value) for number, (kind, value) in enumerate(values)]


def text(name: str, value: str) -> Parameter:
    """Make a parameter of a text."""
    return name, "STRING", value


def parameter(name: str, kind: FactKind, value: object) -> Parameter:
    """Write a value as the interface takes it."""
    if isinstance(value, datetime):
        value = value.astimezone(UTC) if kind == "time" else value.astimezone(UTC).date()
    return name, TYPES[kind], str(value).lower() if isinstance(value, bool) else str(value)
