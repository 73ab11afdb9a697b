"""A document of YAML or JSON as a tree in which everything knows its place."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from shoal.check.finding import Place

_NULL = frozenset({"", "null", "Null", "NULL", "~"})
_YES = frozenset({"true", "yes", "on", "y"})


@dataclass(frozen=True, eq=False)
class Node:
    """A text, a list, a map, or nothing: what was asked for and is not there.

    Attributes:
        where: Its place; of nothing, that of what should have held it.
        kind: What it is.
        text: What a text says.
        plain: Whether a text stands without quotes.
        tag: What it is said to be, where that is a word of its format: ``!reset``.
        items: What a list holds.
        fields: What a map holds, with what it merges.
        keys: Where the names of its fields stand.
        size: How many nodes it is made of, what is repeated by aliases counted each time.
    """

    where: Place
    kind: Literal["text", "list", "map", "nothing"] = "nothing"
    text: str = ""
    plain: bool = False
    tag: str = ""
    items: tuple["Node", ...] = ()
    fields: Mapping[str, "Node"] = field(default_factory=dict)
    keys: Mapping[str, Place] = field(default_factory=dict)
    size: int = 1

    def __bool__(self) -> bool:
        """Tell whether something is said here."""
        return self.kind != "nothing" and not (self.kind == "text" and self.plain and self.text in _NULL)

    def __iter__(self) -> Iterator["Node"]:
        """Go through what a list holds; anything else holds nothing."""
        return iter(self.items)

    def at(self, *path: str) -> "Node":
        """Go down by the names of fields; nothing where one of them is not there."""
        here = self
        for name in path:
            here = here.fields.get(name) or Node(here.keys.get(name, here.where))
        return here

    def key(self, name: str) -> Place:
        """Say where the name of a field stands; where the map begins, if it has none of that name."""
        return self.keys.get(name, self.where)

    @property
    def number(self) -> int | None:
        """The whole number that it says; None where it says none."""
        return int(self.text) if self.kind == "text" and self.text.isdecimal() and len(self.text) < 10 else None

    @property
    def yes(self) -> bool:
        """Whether it says so."""
        return self.text.lower() in _YES

    @property
    def texts(self) -> tuple["Node", ...]:
        """The texts of a list, or the one text that it is."""
        if self.kind == "text":
            return (self,) if self else ()
        return tuple(item for item in self.items if item.kind == "text")


Beside = Callable[[str], str | None]
"""Path → text of a file that another one names; None where it is not there."""


@dataclass(frozen=True, eq=False)
class Document:
    """One document of one file."""

    path: str
    root: Node
