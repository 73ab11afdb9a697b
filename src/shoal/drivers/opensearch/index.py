"""What an index is made of, and documents as it takes them. Pure.

Texts are folded before they come here, so that every engine agrees on what a word is: all that is left to an index is
to take them apart at spaces, and their endings off.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping

import msgspec

from shoal.drivers.base.search import FieldKind, SearchChange, SearchShape
from shoal.drivers.base.words import fold

WRITE = ".write"
"""Ends the alias through which an index is written: who writes to one that is gone is refused, and makes none."""

TYPES: Mapping[FieldKind, str] = {
    "keyword": "keyword",
    "integer": "long",
    "number": "double",
    "time": "long",
    "date": "integer",
}
"""Times are microseconds and dates days, both since 1970: OpenSearch's own dates have milliseconds."""

LONGEST_SUGGESTION = 8191
"""Characters, of at most four bytes: a term has 32,766 bytes."""

LONGEST_ID = 512
"""Bytes."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def made(shape: SearchShape, sizes: Mapping[str, int], aliases: tuple[str, ...]) -> dict[str, object]:
    """Make an index that nobody writes to in another shape."""
    stems: dict[str, object] = {"type": "custom", "tokenizer": "whitespace"}
    analysis: dict[str, object] = {"analyzer": {"words": dict(stems), "stems": stems}}
    if shape.language != "simple":
        stems["filter"] = ["stems"]
        analysis["filter"] = {"stems": {"type": "stemmer", "language": shape.language}}
    return {
        "settings": {**{f"number_of_{name}": count for name, count in sizes.items()}, "analysis": analysis},
        "mappings": {"dynamic": "strict", "properties": _properties(shape)},
        "aliases": {alias: {} for alias in aliases},
    }


def _properties(shape: SearchShape) -> dict[str, object]:
    own = {plain(f.name): {"type": TYPES[f.kind]} for f in shape.fields if f.kind != "text"}
    texts = {
        text(f.name): {"type": "text", "analyzer": "stems", "fields": {"words": {"type": "text", "analyzer": "words"}}}
        for f in shape.texts
    }
    suggest = {"suggest": {"type": "keyword", "ignore_above": LONGEST_SUGGESTION}} if shape.suggest else {}
    known = {"live": {"type": "boolean"}, "key": {"type": "keyword"}, "kept": {"type": "object", "enabled": False}}
    return {**known, **own, **texts, **suggest}


def plain(field: str) -> str:
    """Name a field that is filtered by."""
    return f"f_{field}"


def text(field: str) -> str:
    """Name a text that is searched."""
    return f"t_{field}"


def written(alias: str, shape: SearchShape, change: SearchChange) -> bytes:
    """Write two lines of a bulk request.

    A removed document stays as one that nobody finds: a cluster forgets the versions of those that it deleted after a
    minute (``index.gc_deletes``), and one that was late would then bring them back.
    """
    at = {"_index": alias, "_id": id_of(change.key), "version": change.version, "version_type": "external"}
    lines = ({"index": at}, document(shape, change))
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def document(shape: SearchShape, change: SearchChange) -> dict[str, object]:
    """Make what the index has of a change."""
    if change.values is None:
        return {"live": False, "key": change.key}
    values = change.values
    texts = {field.name: str(values.get(field.name) or "") for field in shape.texts}
    own = {plain(f.name): travelling(values.get(f.name)) for f in shape.fields if f.kind != "text"}
    suggested = {"suggest": values.get(shape.suggest)} if shape.suggest else {}
    return {
        "live": True,
        "key": change.key,
        "kept": {"body": change.body, "texts": texts},
        **{name: value for name, value in (own | suggested).items() if value is not None},
        **{text(name): fold(value) for name, value in texts.items()},
    }


def id_of(key: str) -> str:
    """Name a document: by its key, or by a hash of one that is too long."""
    spelled = key.encode()
    if 0 < len(spelled) <= LONGEST_ID and not key.startswith("~"):
        return key
    return f"~{hashlib.sha256(spelled).hexdigest()}"


def travelling(value: object) -> object:
    """Spell times and dates as numbers."""
    if isinstance(value, dt.datetime):
        return (value.astimezone(dt.UTC) - _EPOCH) // _MICROSECOND
    if isinstance(value, dt.date):
        return value.toordinal() - _EPOCH.toordinal()
    return value


def arrived(value: object, kind: FieldKind) -> object:
    """Read times and dates from numbers."""
    if kind == "time":
        return _EPOCH + int(str(value)) * _MICROSECOND
    if kind == "date":
        return dt.date.fromordinal(int(str(value)) + _EPOCH.toordinal())
    return value
