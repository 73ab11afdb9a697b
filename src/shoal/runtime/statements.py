"""What engines are asked, as spans (semantic conventions for database client spans)."""

import re
from functools import lru_cache

import msgspec

from shoal.runtime.recording import leaf, present
from shoal.telemetry import conventions as names
from shoal.telemetry.spans import CLIENT, fixed

KEPT = 2048
"""Texts whose spans are prepared; the service's own SQL may be made of pieces, without end."""

LONGEST = 2000
"""Characters of a statement that are told."""

_VERBS = re.compile(
    r"""\b(?:(insert\s+into|delete\s+from|update|from|join|truncate\s+table|create\s+table|alter\s+table)\s+"""
    r"""(?!set\b|skip\b|nowait\b|of\b|select\b|\()(?:only\s+)?((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))*))""",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)
_READING = frozenset({"FROM", "JOIN"})
_PIECES = re.compile(
    r"""(?P<name>"(?:[^"]|"")*")|(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|"""
    r"""\bE'(?:[^'\\]|''|\\.)*(?:'|\Z)|'(?:[^']|'')*(?:'|\Z)|\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)|"""
    r"""(?<![\w$.])\d+(?:\.\d+)?\b""",
    re.DOTALL | re.IGNORECASE,
)
"""Names in quotes, comments, texts and numbers, so that a quote within one of them begins no other (PostgreSQL
documentation, "Lexical Structure"). A backslash is a letter like others, but after ``E``."""


class Told(msgspec.Struct, frozen=True):
    """How a statement is told."""

    name: str
    fixed: bytes


class Statements:
    """The runtime's `Observer`: a span for each statement within a trace."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], Told] = {}

    def asked(
        self,
        system: str,
        text: str,
        began: int,
        *,
        namespace: str = "",
        count: int = 1,
        error: BaseException | None = None,
    ) -> None:
        """Record one statement; those of work that is in nobody's trace, or has ended, are not recorded."""
        span = present()
        if span is None or span.ended:
            return
        told = self._known.get((system, namespace, text)) or self._prepare(system, namespace, text)
        batch: dict[str, object] | None = {names.DB_BATCH: count} if count > 1 else None
        leaf(told.name, CLIENT, began, told.fixed, batch, error)

    def commanded(
        self, system: str, command: str, began: int, *, target: str = "", error: BaseException | None = None
    ) -> None:
        """Record one command, as `asked` does."""
        span = present()
        if span is None or span.ended:
            return
        name = f"{command} {target}" if target else command
        leaf(name, CLIENT, began, _command(system, command, target), None, error)

    def _prepare(self, system: str, namespace: str, text: str) -> Told:
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[system, namespace, text] = told = tell(system, namespace, text)
        return told


@lru_cache(KEPT)
def _command(system: str, command: str, target: str) -> bytes:
    return fixed({names.DB_SYSTEM: system, names.DB_OPERATION: command, names.DB_COLLECTION: target})


def tell(system: str, namespace: str, text: str) -> Told:
    """Prepare what is told of a statement: literals in it are values, too, and become ``?``."""
    said = without_literals(text)
    acts = summary(said)
    verbs = list(dict.fromkeys(act.partition(" ")[0] for act in acts))
    places = list(dict.fromkeys(act.partition(" ")[2] for act in acts if " " in act))
    pairs = {
        names.DB_SYSTEM: system,
        names.DB_NAMESPACE: namespace,
        names.DB_TEXT: said[:LONGEST],
        names.DB_OPERATION: verbs[0] if len(verbs) == 1 else "",
        names.DB_COLLECTION: places[0] if len(places) == 1 else "",
    }
    return Told(", ".join(acts)[:200] or system, fixed(pairs))


def without_literals(text: str) -> str:
    """Take texts, numbers and comments out of a statement."""
    return _PIECES.sub(_piece, text).strip()


def _piece(found: re.Match[str]) -> str:
    return found["name"] or (" " if found["comment"] else "?")


def summary(text: str) -> list[str]:
    """Say in a few words what a statement does: each verb with its table, in order."""
    word = _WORD.search(text)
    first = word[0].upper() if word else ""
    found: dict[str, None] = {}
    reads: list[str] = []
    for verb, place in _VERBS.findall(text):
        act, name = verb.split()[0].upper(), place.replace('"', "")
        if act in _READING:
            reads.append(name)
        else:
            found[f"{act} {name}"] = None
    if found:
        return list(found)
    if reads:
        return [f"SELECT {name}" for name in dict.fromkeys(reads)][:3]
    return [first] if first else []
