"""Parts of objects whose every field is known, and the documents that they are read from."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

Json = dict[str, Any]
Document = Mapping[str, Any]


class Unknown(ValueError):
    """A document says what is not translated."""


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A part of a specification; what is not a field of it is an error."""


K = TypeVar("K", bound=Known)


def specification(document: Document, kind: type[K]) -> K:
    """Read the specification of a document.

    Raises:
        Unknown: It has a field that the kind does not know, or a value that it does not take.
    """
    try:
        return msgspec.convert(document.get("spec", {}), kind)
    except msgspec.ValidationError as error:
        raise Unknown(f"{document['kind']} {document['metadata']['name']}: {error}") from error


def seconds(duration: str) -> str:
    """Read a duration of Gateway API or Istio (``2s500ms``) as one of Envoy (``2.500s``).

    Raises:
        Unknown: It is none.
    """
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    rest, total = duration, 0.0
    while rest:
        digits = next((at for at, one in enumerate(rest) if one not in "0123456789."), 0)
        after = next((at for at in range(digits, len(rest)) if rest[at] in "0123456789."), len(rest))
        unit = rest[digits:after]
        if not digits or unit not in units:
            raise Unknown(f"{duration!r} is no duration")
        total += float(rest[:digits]) * units[unit]
        rest = rest[after:]
    return f"{total:.3f}s"


def named(documents: Iterable[Document], kind: str, group: str) -> dict[str, Document]:
    """Find the documents of a kind, by name."""
    return {
        one["metadata"]["name"]: one
        for one in documents
        if one["kind"] == kind and one["apiVersion"].partition("/")[0] == group
    }


def typed(message: str, **fields: Any) -> Json:
    """Write a message of Envoy's, with its type."""
    return {"@type": f"type.googleapis.com/{message}", **fields}
