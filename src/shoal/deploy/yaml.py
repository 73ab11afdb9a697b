"""YAML as people write it: in the given order, quoted where a reader could mistake a word, with comments. Pure."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shoal.deploy.comments import WIDTH, comment

Json = dict[str, Any]

_WORD = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*(?: [A-Za-z0-9_./@+-]+)*")
_AMOUNT = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d|Ki|Mi|Gi|Ti|%)")
_MISTAKEN = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"})
"""Words that some reader of YAML takes for something other than text (YAML 1.1, Go's and Python's readers)."""
_ODD = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


class Noted:
    """A value, and why it is what it is: written above its key."""

    __slots__ = ("value", "why")

    def __init__(self, value: object, why: str) -> None:
        self.value, self.why = value, why


def document(value: Mapping[str, object], *, head: Iterable[str] = ()) -> str:
    """Write one document; `head` are paragraphs of comment above it."""
    lines = [line for paragraph in head if paragraph for line in comment(paragraph)]
    return "\n".join([*lines, *(_mapping(value, 0) if value else ["{}"])]) + "\n"


def plain(value: object) -> Any:
    """Return the value without its comments."""
    if isinstance(value, Noted):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    return value


def scalar(value: object) -> str:
    """Write a scalar; text is quoted unless every reader takes it for text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number of JSON")
        return repr(int(value)) if value == int(value) and abs(value) < 1e15 else json.dumps(value)
    return _text(str(value))


def _text(text: str) -> str:
    if _AMOUNT.fullmatch(text) or (_WORD.fullmatch(text) and text.lower() not in _MISTAKEN):
        return text
    if '"' in text and "'" not in text and "\\" not in text and text.isprintable() and not _ODD.search(text):
        return f"'{text}'"
    return _ODD.sub(lambda odd: f"\\u{ord(odd[0]):04x}", json.dumps(text, ensure_ascii=False))


def _mapping(value: Mapping[str, object], indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, given in value.items():
        inner = given
        if isinstance(inner, Noted):
            yield from comment(inner.why, indent)
            inner = inner.value
        yield from _entry(f"{pad}{scalar(key)}:", inner, indent)


def _entry(start: str, value: object, indent: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        if not value:
            yield f"{start} {{}}"
            return
        yield start
        yield from _mapping(value, indent + 2)
    elif isinstance(value, str) and _is_block(value):
        yield f"{start} |{'' if value.endswith(chr(10)) else '-'}"
        yield from (" " * (indent + 2) + line if line else "" for line in value.removesuffix("\n").split("\n"))
    elif isinstance(value, str) or not isinstance(value, Sequence):
        yield f"{start} {scalar(value)}"
    elif (short := _short(value)) and len(start) + len(short) < WIDTH:
        yield f"{start} {short}"
    else:
        yield start
        yield from _items(value, indent + 2)


def _items(values: Sequence[object], indent: int) -> Iterator[str]:
    pad = " " * indent
    for given in values:
        inner = given
        if isinstance(inner, Noted):
            yield from comment(inner.why, indent)
            inner = inner.value
        if isinstance(inner, Mapping) and inner:
            first, *rest = _mapping(inner, indent + 2)
            while first.lstrip().startswith("#"):  # a comment belongs above the dash
                yield pad + first.lstrip()
                first, *rest = rest
            yield f"{pad}- {first.lstrip()}"
            yield from rest
        else:
            yield from _entry(f"{pad}-", inner, indent)


def _short(values: Sequence[object]) -> str:
    """Write a list of scalars in one line; empty where one of them is none, or would want more room."""
    if any(
        isinstance(one, Mapping | Noted) or (isinstance(one, Sequence) and not isinstance(one, str)) for one in values
    ):
        return ""
    if any(isinstance(one, str) and ("\n" in one or len(one) > 60) for one in values):
        return ""
    return f"[{', '.join(scalar(one) for one in values)}]"


def _is_block(text: str) -> bool:
    """Tell whether a text of several lines can be written as it is."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 2 or text.endswith("\n\n") or not lines[0] or lines[0][0] in " \t":
        return False
    return not any(
        line != line.rstrip() or _ODD.search(line) or not line.replace("\t", " ").isprintable() for line in lines
    )
