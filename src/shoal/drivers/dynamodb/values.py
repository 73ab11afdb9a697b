"""Rows as DynamoDB's items and back. Pure.

A float and a time are maps of their own, since DynamoDB has but one kind of number, and none for times. Text of JSON
columns stays text: DynamoDB would change its numbers.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shoal.drivers.base import Row, Table
from shoal.drivers.base.documents.engine import Document
from shoal.errors import Unstorable

Value = dict[str, Any]
"""One attribute as the interface writes it: ``{"S": "text"}``."""

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DIGITS = 38
"""Of a number, as DynamoDB keeps it."""

KEY, VERSION, COLUMNS, NUMBER, END = "k", "v", "c", "n", "x"
"""Attributes of a row: its key, version and columns, the number it was last announced under, and when it may go."""


def value(found: object) -> Value:  # noqa: PLR0911 - one for each kind
    """Write one value."""
    match found:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": found}
        case str() | UUID():
            return {"S": _text(str(found))}
        case int():
            if abs(found) >= 10**_DIGITS:
                raise Unstorable(f"a number has more than {_DIGITS} digits", hint="keep it as text")
            return {"N": str(found)}
        case float():
            return {"M": {"f": {"S": repr(found)}}}
        case bytes():
            return {"B": found}
        case datetime():
            return {"M": {"t": {"N": str(ticks(found))}}}
    raise Unstorable(f"a document holds no {type(found).__name__}", hint="keep it as text")


def back(held: Mapping[str, Any]) -> object:
    """Read one value."""
    ((kind, found),) = held.items()
    if kind == "NULL":
        return None
    if kind == "N":
        return int(found)
    if kind == "M":
        ((inner, one),) = found.items()
        return float(one["S"]) if inner == "f" else _BEGIN + int(one["N"]) * _TICK
    return found.value if hasattr(found, "value") else found


def columns(table: Table, row: Row) -> Value:
    """Write the columns of a row, but for its key, which is apart, and for those that are null."""
    kept = {name: found for name, found in row.items() if name != table.key and found is not None}
    return {"M": {name: value(found) for name, found in kept.items()}}


def document(table: Table, item: Mapping[str, Any]) -> Document:
    """Read a row."""
    key, held = back(item[KEY]), item[COLUMNS]["M"]
    row = {name: back(held[name]) if name in held else None for name in table.columns if name != table.key}
    return Document(key=key, version=item[VERSION]["S"], row={table.key: key, **row})


def size(held: object) -> int:
    """Count the bytes of items or values, about as DynamoDB does."""
    if isinstance(held, Mapping):
        return sum(len(str(name).encode()) + size(one) + 1 for name, one in held.items())
    if isinstance(held, (list, tuple)):
        return sum(size(one) + 1 for one in held)
    if isinstance(held, str):
        return len(held.encode())
    return len(held) if isinstance(held, bytes) else 1


def ticks(moment: datetime) -> int:
    """Count the microseconds since 1970."""
    return (moment.astimezone(UTC) - _BEGIN) // _TICK


def _text(found: str) -> str:
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise Unstorable(f"text that is no Unicode: {error.reason}", hint="keep it as bytes") from error
    return found
