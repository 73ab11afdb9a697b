"""Rows as BSON documents and back. Pure.

A time is a document of its own, ``{"t": microseconds since 1970}``: BSON's own knows milliseconds only. Columns of
JSON text are documents, so that others can read and index what is in them.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

from shoal.drivers.base import Row, Table
from shoal.drivers.base.documents.engine import Document
from shoal.errors import Unstorable

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_LARGEST = 1 << 63
VERSION = "_version"


def document(table: Table, key: object, row: Row, version: str) -> dict[str, object]:
    """Write a row whole."""
    return {**fields(table, row), "_id": value(key), VERSION: version}


def fields(table: Table, row: Row) -> dict[str, object]:
    """Write columns, but for the key, which is the document's own."""
    return {column: kept(table, column, found) for column, found in row.items() if column != table.key}


def kept(table: Table, column: str, found: object) -> object:
    """Write the value of a column."""
    return json.loads(str(found)) if column in table.json and found is not None else value(found)


def value(found: object) -> object:
    """Write one value."""
    if isinstance(found, datetime):
        return {"t": (found.astimezone(UTC) - _BEGIN) // _TICK}
    if isinstance(found, UUID):
        return str(found)
    if isinstance(found, int) and not -_LARGEST <= found < _LARGEST:
        raise Unstorable(f"{found} has more than 64 bits", hint="keep it as text")
    if found is None or isinstance(found, (str, int, float, bool, bytes)):
        return found
    raise Unstorable(f"a document holds no {type(found).__name__}", hint="keep it as text")


def read(table: Table, found: Mapping[str, object]) -> Document:
    """Read a document."""
    key = _back(found["_id"])
    columns = {column: found.get(column) for column in table.columns if column != table.key}
    row = {
        column: json.dumps(held, ensure_ascii=False) if column in table.json and held is not None else _back(held)
        for column, held in columns.items()
    }
    return Document(key=key, version=str(found.get(VERSION, "")), row={table.key: key, **row})


def _back(held: object) -> object:
    if isinstance(held, dict) and set(held) == {"t"}:
        return _BEGIN + cast("int", held["t"]) * _TICK
    return held
