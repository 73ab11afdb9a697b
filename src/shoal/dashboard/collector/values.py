"""Values of attributes, within bounds: what comes from outside may be of any size."""

import base64
from collections.abc import Iterable
from typing import Any, Protocol

LONGEST = 16 * 1024
"""Characters of a text; a longer one is cut."""

MOST = 128
"""Attributes of one thing, and events and links of one span."""

_DEEPEST = 6


class KeyValue(Protocol):
    """``opentelemetry.proto.common.v1.KeyValue``."""

    @property
    def key(self) -> str:
        """Its key."""

    @property
    def value(self) -> Any:
        """An ``AnyValue``."""


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Read attributes; the first of those with the same key counts last."""
    found: dict[str, Any] = {}
    for pair in pairs:
        found[pair.key] = plain(pair.value)
        if len(found) >= MOST:
            break
    return found


def plain(value: Any, depth: int = 0) -> Any:
    """Turn an ``AnyValue`` into what JSON can hold; bytes become base64."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        text = value.string_value
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    if kind in ("int_value", "bool_value", "double_value"):
        return getattr(value, kind)
    return _nested(kind, value, depth) if kind and depth < _DEEPEST else None


def _nested(kind: str, value: Any, depth: int) -> Any:
    if kind == "array_value":
        return [plain(one, depth + 1) for one in value.array_value.values[:MOST]]
    if kind == "kvlist_value":
        return {pair.key: plain(pair.value, depth + 1) for pair in value.kvlist_value.values[:MOST]}
    return base64.b64encode(value.bytes_value[:LONGEST]).decode() if kind == "bytes_value" else None
