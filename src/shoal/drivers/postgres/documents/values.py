"""Rows as JSON and back, exactly. Pure.

A key is text whose code points sort as the keys do: strings as they are, and whatever else is one begins with ``#``.
In the body a column is what JSON calls it; what JSON knows no name for is an object of one member, such as
``{"time": "2030-01-01T12:00:00.000000+00:00"}``, which PostgreSQL sorts by that member. Null is not written.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import msgspec

from shoal.drivers.base import Row, Table
from shoal.drivers.base.documents.engine import Document
from shoal.errors import Unstorable

_LARGEST = 1 << 63
_DIGITS = 19
_EXACT = float(1 << 53)
"""From here on a float is written digit by digit, or it would come back as the whole number that JSON makes of it."""


class _Digits(str):
    """The digits of a number with a point, as they came."""

    __slots__ = ()


_encode = msgspec.json.Encoder().encode
_some = msgspec.json.Decoder(float_hook=_Digits)
_columns = msgspec.json.Decoder(dict[str, object], float_hook=_Digits)
_raw_columns = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raw = msgspec.json.Decoder(msgspec.Raw)


def key(found: object) -> str:
    """Write a key."""
    written: str = _writer(_KEYS, found, "key")(found)
    return written


def unkey(written: str) -> object:
    """Read a key."""
    return _KEYS_BACK[written[1]](written[2:]) if written.startswith("#") else written


def body(table: Table, row: Row) -> str:
    """Write the columns that are not null, but for the key."""
    return _json({c: _kept(table, c, found) for c, found in row.items() if found is not None and c != table.key})


def value(table: Table, column: str, found: object) -> str | None:
    """Write what a column is compared with."""
    if column == table.key:
        return None if found is None else key(found)
    return None if found is None else _json(_kept(table, column, found))


def read(table: Table, found: Mapping[str, object]) -> Document:
    """Read a document."""
    name, written = unkey(cast("str", found["key"])), cast("str", found["body"])
    nested = table.json
    row: dict[str, object]
    if nested:
        parts = _raw_columns.decode(written)
        row = {column: _part(parts.get(column), nested=column in nested) for column in table.columns}
    else:
        whole = _columns.decode(written)
        row = {column: _back(whole.get(column)) for column in table.columns}
    row[table.key] = name
    return Document(key=name, version=str(found["version"]), row=row)


def _json(value: object) -> str:
    try:
        return _encode(value).decode()
    except UnicodeEncodeError as error:
        raise Unstorable(f"a document holds no such text: {error}", hint="keep it as bytes") from error


def _kept(table: Table, column: str, found: object) -> object:
    if column not in table.json:
        return _plain(found)
    try:
        return _raw.decode(_text(cast("str", found)))  # one value: it does not reach into the columns beside it
    except msgspec.DecodeError as error:
        raise Unstorable(f"column {column} of {table.name} holds JSON: {error}", hint="write it as JSON") from error


def _plain(found: object) -> object:
    """Give the JSON of one value."""
    return _writer(_VALUES, found, "document")(found)


def _writer(writers: Mapping[type, Callable[[Any], Any]], found: object, place: str) -> Callable[[Any], Any]:
    for kind in type(found).__mro__:
        if kind in writers:
            return writers[kind]
    raise Unstorable(f"a {place} holds no {type(found).__name__}", hint="keep it as text")


def _part(found: msgspec.Raw | None, *, nested: bool) -> object:
    if found is None:
        return None
    return bytes(found).decode() if nested else _back(_some.decode(found))


def _back(found: object) -> object:
    """Read one value."""
    if type(found) is _Digits:
        return float(found)
    if type(found) is not dict:
        return found
    ((kind, held),) = found.items()
    if kind == "time":
        return datetime.fromisoformat(held)
    if kind == "bytes":
        return bytes.fromhex(held)
    return date.fromisoformat(held) if kind == "date" else Decimal(held)


def _whole(found: int) -> int:
    if not -_LARGEST <= found < _LARGEST:
        raise Unstorable(f"{found} has more than 64 bits", hint="keep it as text")
    return found


def _number(found: float) -> object:
    if abs(found) < _EXACT:
        return found
    if not math.isfinite(found):
        raise Unstorable(f"a document holds no {found}", hint="keep it as text")
    return msgspec.Raw(f"{int(found)}.0".encode())


def _decimal(found: Decimal) -> object:
    if not found.is_finite():
        raise Unstorable(f"a document holds no {found}", hint="keep it as text")
    return {"decimal": msgspec.Raw(str(found).encode())}


def _moment(found: datetime) -> str:
    there = found if found.tzinfo is None else found.astimezone(UTC)
    return there.isoformat(timespec="microseconds")


def _text(found: str) -> str:
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise Unstorable(f"a document holds no such text: {error}", hint="keep it as bytes") from error
    return found


_KEYS: Mapping[type, Callable[[Any], str]] = {
    str: lambda found: _text(f"#s{found}" if found.startswith("#") else found),
    bool: lambda found: f"#b{found:d}",
    int: lambda found: f"#i{_whole(found) >= 0:d}{found % _LARGEST:0{_DIGITS}}",
    UUID: str,
    datetime: lambda found: f"#t{_moment(found)}",
    date: lambda found: f"#d{found.isoformat()}",
    bytes: lambda found: f"#x{found.hex()}",
}

_KEYS_BACK: Mapping[str, Callable[[str], object]] = {
    "s": str,
    "b": lambda rest: rest == "1",
    "i": lambda rest: int(rest[1:]) - (0 if rest[0] == "1" else _LARGEST),
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "x": bytes.fromhex,
}

_VALUES: Mapping[type, Callable[[Any], object]] = {
    str: lambda found: found,
    bool: lambda found: found,
    int: _whole,
    float: _number,
    datetime: lambda found: {"time": _moment(found)},
    date: lambda found: {"date": found.isoformat()},
    bytes: lambda found: {"bytes": found.hex()},
    Decimal: _decimal,
    UUID: str,
}
