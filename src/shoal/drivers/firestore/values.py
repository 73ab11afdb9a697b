"""Rows as documents of Firestore, and back (REST interface, v1). Pure."""

import base64
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from shoal.drivers.base import Row, Table
from shoal.drivers.base.documents.engine import Document
from shoal.errors import Unstorable

Json = dict[str, Any]

MARK = "_mark"
"""Field that is another one with each write, so that no write changes nothing: that would keep the version."""

_BIAS = 1 << 63
_LONGEST_NAME = 1500


def name(key: object) -> str:
    """Spell a key as the last part of a document's name: whole numbers in their order."""
    if isinstance(key, int) and not isinstance(key, bool):
        return f"i{_within(key) + _BIAS:020d}"
    if isinstance(key, datetime):
        return f"t{quote(key.astimezone(UTC).isoformat(timespec='microseconds'))}"
    if not isinstance(key, (str, UUID)):
        raise Unstorable(f"no document is called by a {type(key).__name__}", hint="use a text as the key")
    spelled = f"s{quote(str(key), safe='')}"
    if len(spelled) > _LONGEST_NAME:
        raise Unstorable(f"a key has {len(spelled)} bytes, and Firestore takes 1,500", hint="use a shorter one")
    return spelled


def fields(row: Row, mark: str) -> Json:
    """Write columns."""
    return {**{column: value(found) for column, found in row.items()}, MARK: {"stringValue": mark}}


def value(found: object) -> Json:
    """Write one value."""
    if found is None:
        return {"nullValue": None}
    for kind, (spelled, write) in _KINDS.items():
        if isinstance(found, kind):
            return {spelled: write(found)}
    raise Unstorable(f"a document holds no {type(found).__name__}", hint="keep it as text")


_SPECIAL = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _time(found: datetime) -> str:
    return found.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _text(found: str) -> str:
    try:
        found.encode()
    except UnicodeEncodeError:
        raise Unstorable("a text has half of a character", hint="look where it comes from") from None
    return found


_KINDS: Mapping[type, tuple[str, Callable[[Any], object]]] = {
    bool: ("booleanValue", bool),
    int: ("integerValue", lambda found: str(_within(found))),
    float: ("doubleValue", lambda found: found if math.isfinite(found) else _SPECIAL[str(found)]),
    datetime: ("timestampValue", _time),
    bytes: ("bytesValue", lambda found: base64.b64encode(found).decode()),
    str: ("stringValue", _text),
    UUID: ("stringValue", str),
}
"""Kinds of values, how Firestore calls them, and how they are written; a bool is an int, too."""


def plain(held: Json) -> object:
    """Read one value."""
    ((kind, found),) = held.items()
    if kind == "integerValue":
        return int(found)
    if kind == "doubleValue":
        return float(found)
    if kind == "timestampValue":
        return datetime.fromisoformat(found)
    if kind == "bytesValue":
        return base64.b64decode(found)
    return found


def document(table: Table, found: Json) -> Document:
    """Read a document; a column that it lacks is null."""
    held: Mapping[str, Json] = found.get("fields", {})
    row = {column: plain(held[column]) if column in held else None for column in table.columns}
    return Document(key=row[table.key], version=found["updateTime"], row=row)


def _within(number: int) -> int:
    if not -_BIAS <= number < _BIAS:
        raise Unstorable(f"{number} has more than 64 bits", hint="keep it as text")
    return number
