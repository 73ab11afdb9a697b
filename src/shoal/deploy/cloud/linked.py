"""Two root modules of one environment: what one refers to and the other makes is named or looked up. Pure.

Each has a state of its own, so neither needs the other's to be applied.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from shoal.deploy.cloud.switches import TAKEN
from shoal.deploy.terraform.values import Argument, Block, Call, Item, Noted, Raw, Text, Value, items

Files = Mapping[str, Sequence[Block]]
"""Name of a file → its blocks."""

Thing = tuple[str, str]
"""A resource of Terraform: its type and its label."""

_REFERENCE = re.compile(r"(?<![\w.])((?:google|azurerm|random)_\w+)\.([\w-]+)(?:\.(\w+))?")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """How the second root module finds what the first has made."""

    names: Mapping[str, tuple[str, ...]] = {}
    """Type → arguments by which it is looked up, the same as those by which it is made."""
    spelled: Callable[[Thing, str, Mapping[Thing, Block]], str | Raw | None] = lambda *_: None
    """Says what an attribute of a thing is without looking it up; None where nobody knows."""
    late: frozenset[str] = frozenset()
    """Types that are not always there; nor is whatever refers to one of them."""
    when: str = TAKEN
    """Under which condition they are."""


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
        self._late = _late(self._own, link.late)
        self._asked: list[Thing] = []

    def block(self, one: Block) -> Block:
        """Rewrite a block; a late one is counted."""
        late = one.kind == "resource" and (one.labels[0], one.labels[1]) in self._late
        body = tuple(self._items(one.body, late=late))
        counted = items({"count": Raw(f"{self._link.when} ? 1 : 0")}) if late else ()
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
            elif kept := [each for each in _expressions(one.value) if self._makes(each)]:
                yield Argument(name=one.name, value=kept)

    def _makes(self, waited: Raw) -> bool:
        return all(thing in self._own for thing in _things(waited))

    def _value(self, value: Value, *, late: bool) -> Value:
        found: Value = value
        match value:
            case Raw():
                found = self._raw(value, late=late)
            case Text():
                found = Text(tuple(one if isinstance(one, str) else self._raw(one, late=late) for one in value.parts))
            case Call():
                found = Call(value.function, tuple(self._value(one, late=late) for one in value.arguments))
            case Noted():
                found = Noted(self._value(value.value, late=late), value.why)
            case Mapping():
                found = {name: self._value(one, late=late) for name, one in value.items()}
            case list() | tuple():
                found = [self._value(one, late=late) for one in value]
        return found

    def _raw(self, value: Raw, *, late: bool) -> str | Raw:
        whole = _REFERENCE.fullmatch(value.text)
        known = self._known(whole) if whole is not None else None
        return known or Raw(_REFERENCE.sub(lambda match: self._at(match, late=late), value.text))

    def _known(self, match: re.Match[str]) -> str | Raw | None:
        """Return what is known of a thing that the first root module makes, without asking for it."""
        thing, attribute = (match[1], match[2]), match[3] or ""
        if thing in self._own:
            return None
        said = _said(self._first[thing], attribute)
        return said or self._link.spelled(thing, attribute, self._first)

    def _at(self, match: re.Match[str], *, late: bool) -> str:
        thing, attribute = (match[1], match[2]), f".{match[3]}" if match[3] else ""
        if thing in self._late:
            name = ".".join(thing)
            return f"{name}[0]{attribute}" if late else f"one({name}[*]{attribute})"
        if thing in self._own:
            return match[0]
        if (known := self._known(match)) is not None:
            return known.text if isinstance(known, Raw) else json.dumps(known)
        if thing not in self._asked:
            self._asked.append(thing)
        return f"data.{match[0]}"


def _late(own: Mapping[Thing, Block], kinds: frozenset[str]) -> set[Thing]:
    """List what is not always there: things of some types, and whatever refers to them."""
    found = {thing for thing in own if thing[0] in kinds}
    referring = {thing: {*_references(one.body)} for thing, one in own.items()}
    while more := {thing for thing, others in referring.items() if thing not in found and others & found}:
        found |= more
    return found


def _references(body: Iterable[Item]) -> Iterator[Thing]:
    """List what a block refers to, whether or not the second region has taken over."""
    for one in body:
        if isinstance(one, Block):
            yield from _references(one.body)
        else:
            for each in _expressions(one.value):
                yield from _things(each) if f"{TAKEN} ?" not in each.text else ()


def _things(one: Raw) -> list[Thing]:
    return [(match[1], match[2]) for match in _REFERENCE.finditer(one.text)]


def _expressions(value: Value) -> Iterator[Raw]:
    match value:
        case Raw():
            yield value
        case Text():
            yield from (one for one in value.parts if isinstance(one, Raw))
        case Call():
            for one in value.arguments:
                yield from _expressions(one)
        case Noted():
            yield from _expressions(value.value)
        case Mapping():
            for one in value.values():
                yield from _expressions(one)
        case list() | tuple():
            for one in value:
                yield from _expressions(one)


def _said(one: Block, name: str) -> str:
    """Return what an argument says, where that is plain text."""
    said = next((each.value for each in one.body if isinstance(each, Argument) and each.name == name), None)
    return said if isinstance(said, str) else ""
