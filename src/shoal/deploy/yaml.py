"""YAML as people write it: in the given order, quoted where a reader could mistake a word, with comments. Pure."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from shoal.deploy.comments import WIDTH, comment

Json = dict[str, Any]

_WORD = re.compile(r"(?:\.\./)*[A-Za-z/][A-Za-z0-9_./@+-]*(?::[A-Za-z0-9_./@+-]+)*(?: [A-Za-z0-9_./@+-]+)*")
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
    if value:
        _mapping(value, 0, lines)
    else:
        lines.append("{}")
    return "\n".join(lines) + "\n"


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
    if isinstance(value, str):
        return _text(value)
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


@lru_cache(maxsize=4096)  # the words of manifests are few
def _text(text: str) -> str:
    if _AMOUNT.fullmatch(text) or (_WORD.fullmatch(text) and text.lower() not in _MISTAKEN):
        return text
    if '"' in text and "'" not in text and "\\" not in text and text.isprintable() and not _ODD.search(text):
        return f"'{text}'"
    return _ODD.sub(lambda odd: f"\\u{ord(odd[0]):04x}", json.dumps(text, ensure_ascii=False))


def _mapping(value: Mapping[str, object], indent: int, lines: list[str]) -> None:
    """Append the lines of a mapping that is not empty."""
    pad = " " * indent
    for key, given in value.items():
        inner = given
        if isinstance(inner, Noted):
            lines += comment(inner.why, indent)
            inner = inner.value
        _entry(f"{pad}{scalar(key)}:", inner, indent, lines)


def _entry(start: str, value: object, indent: int, lines: list[str]) -> None:
    if isinstance(value, str):
        if "\n" in value and _is_block(value):
            lines.append(f"{start} |{'' if value.endswith(chr(10)) else '-'}")
            lines += (" " * (indent + 2) + line if line else "" for line in value.removesuffix("\n").split("\n"))
        else:
            lines.append(f"{start} {_text(value)}")
    elif isinstance(value, dict | Mapping):  # the first is what there is, and is found without asking
        if value:
            lines.append(start)
            _mapping(value, indent + 2, lines)
        else:
            lines.append(f"{start} {{}}")
    elif not isinstance(value, list | Sequence):
        lines.append(f"{start} {scalar(value)}")
    elif (short := _short(value)) and len(start) + len(short) < WIDTH:
        lines.append(f"{start} {short}")
    else:
        lines.append(start)
        _items(value, indent + 2, lines)


def _items(values: Sequence[object], indent: int, lines: list[str]) -> None:
    pad = " " * indent
    for given in values:
        inner = given
        if isinstance(inner, Noted):
            lines += comment(inner.why, indent)
            inner = inner.value
        if isinstance(inner, Mapping) and inner:
            first = len(lines)
            _mapping(inner, indent + 2, lines)
            while lines[first].lstrip().startswith("#"):  # a comment belongs above the dash
                lines[first] = pad + lines[first].lstrip()
                first += 1
            lines[first] = f"{pad}- {lines[first].lstrip()}"
        else:
            _entry(f"{pad}-", inner, indent, lines)


def _short(values: Sequence[object]) -> str:
    """Write a list of scalars in one line; empty where one of them is none, or would want more room."""
    for one in values:
        if isinstance(one, str):
            if "\n" in one or len(one) > 60:
                return ""
        elif isinstance(one, dict | Noted | Mapping | Sequence):
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
