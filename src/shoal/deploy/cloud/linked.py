"""Two root modules of one environment: what one refers to and the other makes is named or looked up. Pure.

Each has a state of its own, so neither needs the other's to be applied.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from shoal.deploy.terraform.values import Argument, Block, Call, Item, Noted, Raw, Text, Value, items

Files = Mapping[str, Sequence[Block]]
"""Name of a file → its blocks."""

Thing = tuple[str, str]
"""A resource of Terraform: its type and its label."""

TAKE_OVER = Raw("var.take_over")

_REFERENCE = re.compile(r"(?<![\w.])((?:google|azurerm|random)_\w+)\.([\w-]+)(\.\w+)?")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """How the second root module finds what the first has made."""

    names: Mapping[str, tuple[str, ...]]
    """Type → arguments by which it is found, the same as those by which it is made."""
    late: frozenset[str] = frozenset()
    """Types that are there only once the second has taken over."""


def variable(name: str, type_: str, description: str, *, default: Value) -> Block:
    """Write a variable of a root module."""
    said: dict[str, Value] = {"description": description, "type": Raw(type_), "default": default, "nullable": False}
    return Block(kind="variable", labels=(name,), body=items(said))


def after(then: Value, before: Value = None) -> Raw:
    """Write an argument that changes when the second region takes over."""
    return Raw(f"var.take_over ? {_plain(then)} : {_plain(before)}")


def only(one: Block) -> Block:
    """Write a block that is there once the second region has taken over."""
    return Block(kind="dynamic", labels=(one.kind,), body=items({"for_each": after([1], [])}, _content(one)))


def linked(own: Files, first: Files, link: Link) -> dict[str, list[Block]]:
    """Return the files of the second root module, with a further one that looks up what it does not make.

    Raises:
        KeyError: Something is referred to that neither makes, or of which nobody has said how it is found.
    """
    linker = _Linker(own, first, link)
    found = {name: [linker.block(one) for one in blocks] for name, blocks in own.items()}
    if lookups := [*linker.lookups()]:
        found["lookups"] = lookups
    return found


def declared(files: Files) -> dict[Thing, Block]:
    """List resources by type and label."""
    every = (one for blocks in files.values() for one in blocks if one.kind == "resource")
    return {(one.labels[0], one.labels[1]): one for one in every}


class _Linker:
    def __init__(self, own: Files, first: Files, link: Link) -> None:
        self._own, self._first, self._link = declared(own), declared(first), link
        self._asked: list[Thing] = []

    def block(self, one: Block) -> Block:
        """Rewrite a block; one of a late type is counted."""
        late = one.kind == "resource" and one.labels[0] in self._link.late
        body = tuple(self._items(one.body, late=late))
        counted = items({"count": after(1, 0)}) if late else ()
        return msgspec.structs.replace(one, body=(*counted, *body))

    def lookups(self) -> Iterator[Block]:
        """Write what was asked for, and what that asks for."""
        done = 0
        while done < len(self._asked):
            kind, label = self._asked[done]
            named = self._link.names[kind]
            said = (one for one in self._first[kind, label].body if isinstance(one, Argument) and one.name in named)
            yield Block(kind="data", labels=(kind, label), body=tuple(self._items(said, late=False)))
            done += 1

    def _items(self, body: Iterable[Item], *, late: bool) -> Iterator[Item]:
        for one in body:
            if isinstance(one, Block):
                yield msgspec.structs.replace(one, body=tuple(self._items(one.body, late=late)))
            elif one.name != "depends_on":
                yield Argument(name=one.name, value=self._value(one.value, late=late))
            elif kept := [each for each in _listed(one.value) if self._makes(each)]:
                yield Argument(name=one.name, value=kept)

    def _makes(self, waited: Raw) -> bool:
        match = _REFERENCE.match(waited.text)
        return match is None or (match[1], match[2]) in self._own

    def _value(self, value: Value, *, late: bool) -> Value:
        found: Value = value
        match value:
            case Raw():
                found = self._raw(value, late=late)
            case Text():
                found = Text(tuple(self._part(part, late=late) for part in value.parts))
            case Call():
                found = Call(value.function, tuple(self._value(one, late=late) for one in value.arguments))
            case Noted():
                found = Noted(self._value(value.value, late=late), value.why)
            case Mapping():
                found = {name: self._value(one, late=late) for name, one in value.items()}
            case list() | tuple():
                found = [self._value(one, late=late) for one in value]
        return found

    def _part(self, part: str | Raw, *, late: bool) -> str | Raw:
        return self._raw(part, late=late) if isinstance(part, Raw) else part

    def _raw(self, value: Raw, *, late: bool) -> str | Raw:
        whole = _REFERENCE.fullmatch(value.text)
        if whole is not None and (known := self._known(whole)) is not None:
            return known
        return Raw(_REFERENCE.sub(lambda match: self._at(match, late=late), value.text))

    def _known(self, match: re.Match[str]) -> str | None:
        """Return what the first root module says of a thing, where that is plain text."""
        thing, attribute = (match[1], match[2]), (match[3] or "")[1:]
        if thing in self._own:
            return None
        said = (one.value for one in self._first[thing].body if isinstance(one, Argument) and one.name == attribute)
        found = next(said, None)
        return found if isinstance(found, str) else None

    def _at(self, match: re.Match[str], *, late: bool) -> str:
        kind, label, attribute = match[1], match[2], match[3] or ""
        if (kind, label) in self._own:
            if kind not in self._link.late:
                return match[0]
            return f"{kind}.{label}[0]{attribute}" if late else f"one({kind}.{label}[*]{attribute})"
        if (known := self._known(match)) is not None:
            return json.dumps(known)
        if (kind, label) not in self._asked:
            self._asked.append((kind, label))
        return f"data.{match[0]}"


def _content(one: Block) -> Block:
    return Block(kind="content", body=one.body)


def _listed(value: Value) -> list[Raw]:
    return [one for one in value if isinstance(one, Raw)] if isinstance(value, Sequence) else []


def _plain(value: Value) -> str:
    if isinstance(value, Raw):
        return value.text
    return "null" if value is None else msgspec.json.encode(value).decode()
