"""Bicep, printed: declarations below each other, objects with a property on each line. It knows no cloud. Pure.

Source: "Bicep file structure and syntax"; strings are quoted so that nothing in them is an expression.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from shoal.deploy.bicep.values import Declaration, Keyed, Module, Noted, Output, Parameter, Raw, Resource, Text, Value
from shoal.deploy.comments import comment

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ODD = re.compile(r"[\\'$]")
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def document(declarations: Iterable[Declaration], *, head: Sequence[str] = ()) -> str:
    """Write a file; `head` are paragraphs of comment above everything."""
    parts = ["\n".join(line for paragraph in head for line in _comment(paragraph))] if head else []
    parts += ["\n".join(_declared(one)) for one in declarations]
    return "\n\n".join(parts) + "\n"


def quoted(text: str) -> str:
    """Write text between quotes; nothing in it is an expression."""
    return f"'{_literal(text)}'"


def _literal(text: str) -> str:
    if text.isprintable() and not _ODD.search(text):
        return text
    written = "".join(_ESCAPES.get(sign) or (sign if sign.isprintable() else f"\\u{{{ord(sign):x}}}") for sign in text)
    return written.replace("${", "\\${")


def _declared(one: Declaration) -> Iterator[str]:
    match one:
        case Parameter():
            if one.why:
                yield f"@description({quoted(one.why)})"
            if one.secure:
                yield "@secure()"
            first, *rest = _lines(one.default, 0) if one.default is not None else [""]
            yield f"param {one.name} {one.kind}{f' = {first}' if first else ''}"
            yield from rest
        case Resource():
            for note in one.notes:
                yield from _comment(note)
            if one.once:
                yield "@onlyIfNotExists()"
            first, *rest = _lines(one.body, 0)
            yield f"resource {one.symbol} {quoted(one.kind)} {'existing ' if one.existing else ''}= {first}"
            yield from rest
        case Module():
            body: dict[str, Value] = {"params": one.params} if one.params else {}
            if one.after:
                body["dependsOn"] = [Raw(symbol) for symbol in one.after]
            first, *rest = _lines(body, 0)
            yield f"module {one.symbol} {quoted(one.path)} = {first}"
            yield from rest
        case Output():
            first, *rest = _lines(one.value, 0)
            yield f"output {one.name} {_kind(one.value)} = {first}"
            yield from rest


def _kind(value: Value) -> str:
    return "object" if isinstance(value, Mapping) else "string"


def _lines(value: Value, indent: int) -> list[str]:
    """Write a value that begins somewhere on a line; what follows the first line is indented already."""
    if isinstance(value, str | Raw | Text | int):
        return [_scalar(value)]
    pad = " " * indent
    if isinstance(value, Keyed):
        first, *rest = _lines(value.value, indent + 2)
        return ["{", f"{pad}  '${{{value.name.text}}}': {first}", *rest, f"{pad}}}"]
    if isinstance(value, Mapping):
        if not value:
            return ["{}"]
        return ["{", *_properties(value, indent + 2), f"{pad}}}"]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ["[", *_elements(value, indent + 2), f"{pad}]"] if value else ["[]"]
    return [_scalar(value)]


def _properties(values: Mapping[str, Value], indent: int) -> Iterator[str]:
    pad = " " * indent
    for name, given in values.items():
        value = given
        if isinstance(value, Noted):
            yield from _comment(value.why, indent)
            value = value.value
        first, *rest = _lines(value, indent)
        yield f"{pad}{name if _NAME.fullmatch(name) else quoted(name)}: {first}"
        yield from rest


def _elements(values: Sequence[Value], indent: int) -> Iterator[str]:
    pad = " " * indent
    for given in values:
        value = given
        if isinstance(value, Noted):
            yield from _comment(value.why, indent)
            value = value.value
        first, *rest = _lines(value, indent)
        yield f"{pad}{first}"
        yield from rest


def _scalar(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Text):
        parts = (_ended(_literal(one)) if isinstance(one, str) else f"${{{one.text}}}" for one in value.parts)
        return f"'{''.join(parts)}'"
    raise ValueError(f"{value!r} is no value of Bicep")


def _ended(text: str) -> str:
    """Write the end of a text so that what follows begins no expression with it."""
    return f"{text[:-1]}\\$" if text.endswith("$") else text


def _number(value: float) -> str:
    """Write a number; Bicep knows whole ones alone, and JSON the others."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of Bicep")
    return str(int(value)) if value == int(value) else f"json({quoted(json.dumps(value))})"


def _comment(text: str, indent: int = 0) -> Iterator[str]:
    """Break a text into lines of comment."""
    for line in comment(text, indent):
        yield line.replace("# ", "// ", 1)
