"""From what authors declared to what engines are asked."""

import hashlib
from enum import Enum
from typing import Any

import msgspec

from shoal.drivers.base.search import SearchChange, SearchField, SearchShape
from shoal.service import codec
from shoal.service.search import index_mark

LONGEST_TEXT = 100_000
"""Characters of a text that are searched."""

LONGEST_KEYWORD = 256
"""Characters of a text that is filtered by; a longer one counts as none."""

_UNWANTED = {0: None, 2: None, 3: None}
"""No engine keeps NUL, and the others stand around what is found."""

_MOST = 2**63


def shape_of(kind: type) -> SearchShape:
    """Return the shape of a type's index."""
    index = index_mark(kind).index
    fields = tuple(SearchField(name=f.name, kind=f.kind, weight=f.weight) for f in index.fields)
    return SearchShape(name=index.name, fields=fields, language=index.language, suggest=index.suggest)


def digest_of(shape: SearchShape) -> str:
    """Name a shape: an index of another one has to be built anew."""
    return hashlib.sha256(msgspec.json.encode(shape, order="deterministic")).hexdigest()[:10]


def change_of(shape: SearchShape, key: str, version: int, record: object | None) -> SearchChange:
    """Make what the index is to have of a record; None when it is gone."""
    if record is None:
        return SearchChange(key=key, version=version, values=None)
    values = {field.name: _value(getattr(record, field.name), field) for field in shape.fields}
    return SearchChange(key=key, version=version, values=values, body=codec.encode(record).decode())


def _value(value: Any, field: SearchField) -> object:
    plain = value.value if isinstance(value, Enum) else value
    if isinstance(plain, str):
        text = plain.translate(_UNWANTED)
        if field.kind == "keyword":
            return text if len(text) <= LONGEST_KEYWORD else None
        return text[:LONGEST_TEXT]
    if field.kind == "integer" and plain is not None and not -_MOST <= plain < _MOST:
        return None
    return plain if plain == plain else None  # noqa: PLR0124 - not a number is nothing to order by
