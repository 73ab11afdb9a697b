"""What a rule says of a system: where, what, what it costs, what to do, and how to mend it by itself."""

import re

import msgspec

from shoal.model.finding import Severity

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?")

MASK = "*" * 8
"""What is shown in the place of a secret."""

RANK: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}
"""The worst first."""


class Place(msgspec.Struct, frozen=True, order=True):
    """A part of a file. Lines and columns count from 1; 0 says that it is not known."""

    file: str
    """Relative to the folder of the project."""
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    """The first column that is no part of it any more."""

    def __str__(self) -> str:
        """Spell it as editors do: ``orders/service.py:48:5``."""
        return ":".join([self.file, *(str(part) for part in (self.line, self.column) if part)])


def at(place: str) -> Place:
    """Read a place of the model, ``file:line`` or ``file:line:column``."""
    found = _PLACE.fullmatch(place)
    if found is None:
        return Place(place)
    return Place(found["file"], int(found["line"] or 0), int(found["column"] or 0))


def masked(text: str, place: Place) -> str:
    """Return a line without what lies at a place of it, which is a secret."""
    begin = max(place.column, 1) - 1
    inside = place.end_line <= place.line and place.end_column > place.column
    return f"{text[:begin]}{MASK}{text[place.end_column - 1 :] if inside else ''}"


class Note(msgspec.Struct, frozen=True):
    """Another place that belongs to a finding, and what is there."""

    where: Place
    text: str


class Edit(msgspec.Struct, frozen=True):
    """A part of a file that is to read otherwise. An edit is safe: what the system does stays, but for the finding."""

    where: Place
    """With line, column and end."""
    replacement: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule yields; the runner adds the rule's code and severity."""

    where: Place
    message: str
    """One sentence without its full stop: what is wrong, with names and values."""
    help: str = ""
    """What to do about it, such as an author would write it."""
    impact: str = ""
    """What it costs, in numbers."""
    notes: tuple[Note, ...] = ()
    edits: tuple[Edit, ...] = ()
    """What mends it, all or nothing; empty where a person has to decide."""
    hidden: bool = False
    """Whether what lies there is a secret, which no report shows."""
    severity: Severity | None = None
    """Where this one is better or worse than others of its rule; what the author's settings say comes first."""


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as it is shown."""

    code: str
    name: str
    """Of the rule: ``chain-too-long``."""
    severity: Severity
    where: Place
    message: str
    help: str = ""
    impact: str = ""
    notes: tuple[Note, ...] = ()
    edits: tuple[Edit, ...] = ()
    hidden: bool = False
    """Whether what lies there is not shown."""
    reason: str = ""
    """Why it is let pass, where a comment says so."""
