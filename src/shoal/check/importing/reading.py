"""Text of YAML or JSON → documents with places. The one file that knows PyYAML.

Built from the parser's events and without recursion, so that no depth ends the program; what is repeated by aliases is
shared, and counted each time (a "billion laughs" is refused, not written out).
"""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from shoal.check.finding import Place
from shoal.check.importing.tree import Beside, Document, Node
from shoal.errors import DeclarationError, HostError

_PAIR = re.compile(r"\\u([dD][89aAbB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
"""One character as JSON may escape it, in two halves (RFC 8259, section 7), which YAML does not know."""

_FILLING = "\uf8ff" * 11
"""What follows such a character until the text is read, so that everything behind it keeps its column."""

_BREAKS = str.maketrans("\x85\u2028\u2029", "   ")
"""What YAML counts as ends of lines, and nobody else does."""

BYTES, NODES, DEPTH = 8 * 2**20, 500_000, 100
"""Most of a file, of the nodes of a document, and of what lies within each other."""

TEMPLATE = re.compile(r"\{\{[-\s]*[.$\w(/\"`]")
"""How a template of Helm (Go's ``text/template``) speaks."""


def documents(path: str, text: str) -> Iterator[Document]:
    """Read every document of a file.

    Args:
        path: What the file is called.
        text: What it says.

    Raises:
        DeclarationError: It is no YAML, a template, too large, or refers to itself; says where.
        HostError: The library that reads YAML is not installed.
    """
    if len(text) > BYTES:
        raise too_large(path, len(text))
    yaml = _library()
    text = _PAIR.sub(_joined, text.translate(_BREAKS))
    try:
        yield from _built(path, yaml, yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        raise _refused(path, text, error) from error


class Others:
    """Files that other ones name, each read once.

    Args:
        beside: Finds the text of one.
    """

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._roots: dict[str, Node | None] = {}

    def text(self, path: str) -> str:
        """Return what a file says; nothing where it is not there."""
        return self._beside(path) or ""

    def root(self, path: str) -> Node | None:
        """Return the first document of a file; None where it is not there, or cannot be read."""
        if path not in self._roots:
            try:
                found = next(iter(documents(path, self.text(path))), None)
            except DeclarationError:
                found = None
            self._roots[path] = found.root if found else None
        return self._roots[path]


def too_large(path: str, size: int) -> DeclarationError:
    """Say that a file is larger than what is read."""
    return DeclarationError(
        f"a file of {size / 2**20:.0f} MiB is more than the {BYTES // 2**20} MiB that are read",
        hint="name the files that describe the system, not what was made from them",
        where=path,
    )


def _joined(pair: re.Match[str]) -> str:
    return (bytes.fromhex(pair[1]) + bytes.fromhex(pair[2])).decode("utf-16-be") + _FILLING


def _library() -> Any:
    try:
        return importlib.import_module("yaml")
    except ImportError as error:
        raise HostError(
            "reading files of YAML needs the library PyYAML, which is not installed",
            hint="install the extra: pip install 'shoal[import]'",
        ) from error


def _refused(path: str, text: str, error: Any) -> DeclarationError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else text.count("\n", 0, getattr(error, "position", 0) or 0) + 1
    binary = isinstance(error, importlib.import_module("yaml.reader").ReaderError)
    if TEMPLATE.search(text) and not binary:
        return template(path, line)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
    return DeclarationError(f"this is no YAML: {what}", hint="correct the file", where=f"{path}:{line}")


def template(path: str, line: int) -> DeclarationError:
    """Say that a file is a template."""
    return DeclarationError(
        "this is a template, and what it will say is not known",
        hint="check what comes of it: helm template NAME CHART > rendered.yaml && shoal check rendered.yaml",
        where=f"{path}:{line}",
    )


@dataclass(eq=False)
class _Open:
    """A list or map that is being read."""

    event: Any
    map: bool
    items: list[Node] = field(default_factory=list)
    fields: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)
    key: Node | None = None


class _Builder:
    """Puts one document together, event by event."""

    def __init__(self, path: str, yaml: Any) -> None:
        self._path, self._yaml = path, yaml
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self.root: Node | None = None

    def take(self, event: Any) -> None:
        """Hear the next event."""
        y = self._yaml
        if isinstance(event, y.ScalarEvent):
            text = event.value.replace(_FILLING, "")
            node = Node(self._place(event, event), "text", text, not event.style, _tag(event))
            self._anchored(event, node)
            self._put(node)
        elif isinstance(event, y.SequenceStartEvent | y.MappingStartEvent):
            if len(self._stack) >= DEPTH:
                raise self._error(event, f"more than {DEPTH} lists and maps lie within each other")
            self._anchored(event, None)
            self._stack.append(_Open(event, isinstance(event, y.MappingStartEvent)))
        elif isinstance(event, y.SequenceEndEvent | y.MappingEndEvent):
            done = self._stack.pop()
            node = self._closed(done, event)
            self._anchored(done.event, node)
            self._put(node)
        elif isinstance(event, y.AliasEvent):
            self._put(self._aliased(event))

    def _place(self, begin: Any, end: Any) -> Place:
        one, other = begin.start_mark, end.end_mark
        return Place(self._path, one.line + 1, one.column + 1, other.line + 1, other.column + 1)

    def _error(self, event: Any, what: str, hint: str = "correct the file") -> DeclarationError:
        return DeclarationError(what, hint=hint, where=f"{self._path}:{event.start_mark.line + 1}")

    def _anchored(self, event: Any, node: Node | None) -> None:
        if event.anchor:
            self._anchors[event.anchor] = node

    def _aliased(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise self._error(event, f"*{event.anchor} refers to an anchor that is not there")
        node = self._anchors[event.anchor]
        if node is None:
            raise self._error(event, f"&{event.anchor} holds itself: *{event.anchor}")
        return node

    def _put(self, node: Node) -> None:
        if not self._stack:
            self.root = node
            return
        here = self._stack[-1]
        if not here.map:
            here.items.append(node)
        elif here.key is None:
            if node.kind != "text":
                raise template(self._path, node.where.line)
            here.key = node
        else:
            here.fields[here.key.text] = node
            here.keys[here.key.text] = here.key.where
            here.key = None

    def _closed(self, done: _Open, event: Any) -> Node:
        size = 1 + sum(node.size for node in (*done.items, *done.fields.values()))
        if size > NODES:
            raise self._error(done.event, f"this holds more than {NODES} values, what aliases repeat counted each time")
        merged = done.fields.pop("<<", None)
        for other in (merged, *merged.items) if merged else ():
            for name, node in other.fields.items():
                done.fields.setdefault(name, node)
                done.keys.setdefault(name, other.keys[name])
        place = self._place(done.event, event)
        kind: Literal["map", "list"] = "map" if done.map else "list"
        tag, items = _tag(done.event), tuple(done.items)
        return Node(place, kind, tag=tag, items=items, fields=done.fields, keys=done.keys, size=size)


def _tag(event: Any) -> str:
    """Return a tag that is not one of YAML's own."""
    return event.tag if event.tag and event.tag.startswith("!") else ""


def _built(path: str, yaml: Any, events: Iterator[Any]) -> Iterator[Document]:
    builder = _Builder(path, yaml)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            builder = _Builder(path, yaml)
        elif isinstance(event, yaml.DocumentEndEvent):
            if builder.root:
                yield Document(path, builder.root)
        else:
            builder.take(event)
