"""Blocks → text, as ``terraform fmt`` leaves it: two spaces, equal signs of neighbours in one column. Pure.

Source: HCL native syntax specification (strings, templates, comments); hclwrite's formatter (which lines make a column:
those whose value ends on the line; whatever else stands between ends it).
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from shoal.deploy.comments import WIDTH, comment
from shoal.deploy.terraform.values import Argument, Block, Call, Item, Noted, Raw, Text, Value

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_WORDS = frozenset({"for", "null", "true", "false"})
"""Names that a reader of an object takes for something else."""
_ODD = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\U0001fffe\U0001ffff]")
_BEYOND = re.compile("[\xad\u0300-\U0010ffff]")
"""What may join its neighbour, so that the formatter counts no column for it."""
_PLAIN = re.compile(r"[A-Za-z0-9 _./:@,;=+*()<>|#?!&^~'\[\]-]*")
"""Text of which nothing has to be written otherwise: most of it."""
_TEMPLATE = re.compile(r"[$%](?=\{)")
_END = re.compile(r"[$%]\Z")
"""Before an expression these would make a text of it."""
_LONGEST = 60


def document(blocks: Iterable[Block], *, head: Sequence[str] = ()) -> str:
    """Write a file; `head` are paragraphs of comment above everything."""
    parts = ["\n".join(line for paragraph in head for line in comment(paragraph))] if head else []
    parts += ["\n".join(_block(one, 0)) for one in blocks]
    return "\n\n".join(parts) + "\n"


def quoted(text: str) -> str:
    """Write text between quotes; nothing in it is an expression. Terraform itself composes characters (NFC) in text."""
    return f'"{_literal(text)}"'


def expression(value: Value) -> str:
    """Write a value on one line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, str):
        return quoted(value)
    return _made(value)


def _made(value: Value) -> str:
    match value:
        case Raw():
            found = value.text
        case Text():
            parts = (_begun(one) if isinstance(one, str) else f"${{{one.text}}}" for one in value.parts)
            found = f'"{"".join(parts)}"'
        case Call():
            found = f"{value.function}({', '.join(expression(one) for one in value.arguments)})"
        case Noted():
            found = expression(value.value)
        case Mapping():
            inside = ", ".join(f"{_key(name)} = {expression(one)}" for name, one in _pairs(value))
            found = f"{{ {inside} }}" if inside else "{}"
        case _:
            found = f"[{', '.join(expression(one) for one in cast('Sequence[Value]', value))}]"
    return found


def _pairs(value: Value) -> Iterable[tuple[str, Value]]:
    return cast("Mapping[str, Value]", value).items()


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of Terraform")
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _literal(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    written = json.dumps(text, ensure_ascii=False)[1:-1].replace("\\b", "\\u0008").replace("\\f", "\\u000c")
    written = _ODD.sub(_escaped, written)
    return _TEMPLATE.sub(lambda sign: sign[0] * 2, written)


def _key(name: str) -> str:
    """Write a name of an object; those of neighbours stand in a column, so each of their characters has to be one."""
    if _NAME.fullmatch(name) and name not in _WORDS:
        return name
    return _BEYOND.sub(_escaped, quoted(name))


def _begun(text: str) -> str:
    """Write text that goes on with an expression, which its last sign must not make a text."""
    return _END.sub(lambda sign: f"\\u{ord(sign[0]):04x}", _literal(text))


def _escaped(found: re.Match[str]) -> str:
    return f"\\U{ord(found[0]):08x}"


def _block(one: Block, indent: int) -> Iterator[str]:
    pad = " " * indent
    for note in one.notes:
        yield from comment(note, indent)
    start = " ".join([one.kind, *(quoted(label) for label in one.labels)])
    if not one.body:
        yield f"{pad}{start} {{}}"
        return
    yield f"{pad}{start} {{"
    yield from _body(one.body, indent + 2)
    yield f"{pad}}}"


def _body(body: Sequence[Item], indent: int) -> Iterator[str]:
    run: list[Argument] = []
    for position, item in enumerate(body):
        if isinstance(item, Argument):
            run.append(item)
            continue
        yield from _entries([(one.name, one.value) for one in run], indent)
        run = []
        if position:
            yield ""
        yield from _block(item, indent)
        if position + 1 < len(body) and isinstance(body[position + 1], Argument):
            yield ""
    yield from _entries([(one.name, one.value) for one in run], indent)


def _entries(pairs: Sequence[tuple[str, Value]], indent: int) -> Iterator[str]:
    """Write arguments below each other; the equal signs of neighbours on one line each make a column."""
    pad, column = " " * indent, list[tuple[str, str]]()
    for name, given in pairs:
        value = given
        if isinstance(value, Noted):
            yield from _column(column, pad)
            column = []
            yield from comment(value.why, indent)
            value = value.value
        first, *rest = _lines(value, indent, len(name) + 3)
        if rest:
            yield from _column(column, pad)
            column = []
            yield f"{pad}{name} = {first}"
            yield from rest
        else:
            column.append((name, first))
    yield from _column(column, pad)


def _column(column: Sequence[tuple[str, str]], pad: str) -> Iterator[str]:
    width = max((len(name) for name, _ in column), default=0)
    for name, text in column:
        yield f"{pad}{name}{' ' * (width - len(name))} = {text}"


def _lines(value: Value, indent: int, before: int) -> list[str]:
    """Write a value that begins somewhere on a line; what follows the first line is indented already."""
    if isinstance(value, Call) and len(value.arguments) == 1:
        first, *rest = _lines(value.arguments[0], indent, before + len(value.function) + 1)
        if not rest:
            return [f"{value.function}({first})"]
        return [f"{value.function}({first}", *rest[:-1], f"{rest[-1]})"]
    if isinstance(value, Mapping) and value:
        inside = _entries([(_key(name), one) for name, one in _pairs(value)], indent + 2)
        return ["{", *inside, f"{' ' * indent}}}"]
    if _is_list(value) and not _is_short(cast("Sequence[Value]", value), indent + before):
        return ["[", *_elements(cast("Sequence[Value]", value), indent + 2), f"{' ' * indent}]"]
    return [expression(value)]


def _elements(values: Sequence[Value], indent: int) -> Iterator[str]:
    pad = " " * indent
    for given in values:
        value = given
        if isinstance(value, Noted):
            yield from comment(value.why, indent)
            value = value.value
        first, *rest = _lines(value, indent, 1)
        if rest:
            yield f"{pad}{first}"
            yield from rest[:-1]
            yield f"{rest[-1]},"
        else:
            yield f"{pad}{first},"


def _is_list(value: Value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_short(values: Sequence[Value], before: int) -> bool:
    plain = all(isinstance(one, str | int | float | Raw | Text) or one is None for one in values)
    if not plain or any(isinstance(one, str) and len(one) > _LONGEST for one in values):
        return False
    return len(expression(values)) + before < WIDTH
