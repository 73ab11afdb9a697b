"""What makes two errors the same: service, type, message without what differs each time, innermost line. Pure."""

import re
from hashlib import blake2b
from typing import Any

import msgspec

_LONGEST = 200
"""Characters of a message that count."""

_VARIABLE = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
        (r"\b(?:[a-z]+_)?[0-9a-f]{12,}\b", "ID"),
        (r"'(?:[^'\\]|\\.){0,500}'|\"(?:[^\"\\]|\\.){0,500}\"", "TEXT"),
        (r"\b0x[0-9a-fA-F]+\b", "ADDRESS"),
        (r"[^\s@]{1,100}@[^\s@]{1,100}", "MAIL"),
        (r"\b\w{1,40}_\w{0,40}\d\w{0,40}", "ID"),
        (r"\d+(?:[.,:]\d+)*(?:[eE][+-]?\d+)?", "N"),
        (r"\s+", " "),
    )
)

_FRAME = re.compile(r'^\s*File "([^"\n]{1,300})", line \d+, in (\S{1,200})', re.MULTILINE)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One error that a span tells of."""

    service: str
    operation: str
    """Name of the span."""
    type: str
    message: str
    frame: str = ""
    """File and function in which it was raised, where that is told."""
    at: float
    """Milliseconds since 1970."""
    trace_id: str

    @property
    def fingerprint(self) -> str:
        """Name what is the same for all errors of one cause."""
        words = "\0".join((self.service, self.type, self.frame or self.operation, normal(self.message)))
        return blake2b(words.encode("utf-8", "replace"), digest_size=8).hexdigest()


def normal(message: str) -> str:
    """Leave out of a message what differs each time: numbers, identifiers, quoted texts, addresses."""
    found = message[: _LONGEST * 4].partition("\n")[0]
    for pattern, word in _VARIABLE:
        found = pattern.sub(word, found)
    return found[:_LONGEST].strip()


def innermost(stack: str) -> str:
    """Return file and function of the last frame of a Python traceback; its line moves with every edit."""
    frames = _FRAME.findall(stack)
    return f"{frames[-1][0]} {frames[-1][1]}" if frames else ""


def told(
    attributes: dict[str, Any], events: list[tuple[str, int, dict[str, Any]]], message: str
) -> tuple[str, str, str]:
    """Return type, message and innermost frame of what a span with the status *error* tells."""
    for name, _, said in reversed(events):
        if name == "exception":
            kind = str(said.get("exception.type", ""))
            return kind, str(said.get("exception.message", "")), innermost(str(said.get("exception.stacktrace", "")))
    kind = str(attributes.get("error.type") or attributes.get("http.response.status_code") or "error")
    return kind, message, ""
