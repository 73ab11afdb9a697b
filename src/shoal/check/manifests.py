"""Manifests beside a system, line by line: documents of YAML by what they say of themselves. Pure.

Nothing is resolved: no anchors, no templates. What rules look for stands in lines of its own in what people and tools
write; a form that is not known is not found, never misread.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shoal.check.finding import Place

_KEY = re.compile(r"(?P<indent> *)(?:- )?(?P<key>[A-Za-z][\w.-]*): *(?P<value>[^#]*)")


@dataclass(frozen=True)
class Line:
    """One line that says something: ``replicas: 1``."""

    where: Place
    indent: int
    key: str
    value: str


@dataclass(frozen=True)
class Document:
    """One object of a file."""

    lines: tuple[Line, ...]

    def said(self, key: str, *, top: bool = False) -> Line | None:
        """Find the first line of a key; of the whole object where `top` is asked for."""
        return next((line for line in self.lines if line.key == key and not (top and line.indent)), None)

    @property
    def kind(self) -> str:
        """What it is: ``Deployment``."""
        found = self.said("kind", top=True)
        return found.value if found else ""

    @property
    def name(self) -> str:
        """What it is called."""
        found = self.said("name")
        return found.value if found else ""


def documents(files: Mapping[str, str]) -> Iterator[Document]:
    """Read the objects of every file of YAML."""
    for path in files:
        if not path.endswith((".yaml", ".yml")):
            continue
        found: list[Line] = []
        for number, text in enumerate(files[path].splitlines(), 1):
            if text.startswith("---"):
                yield Document(tuple(found))
                found = []
            elif line := _KEY.match(text):
                value = line["value"].strip().strip("\"'")
                found.append(Line(Place(path, number), len(line["indent"]), line["key"], value))
        yield Document(tuple(found))
