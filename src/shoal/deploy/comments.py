"""Comments of what is written: HCL and YAML begin them alike. Pure."""

from collections.abc import Iterator

WIDTH = 100
"""Columns within which comments and short lists stay."""


def comment(text: str, indent: int = 0) -> Iterator[str]:
    """Break a text into lines of comment."""
    line, pad = "", " " * indent
    for word in text.split():
        if line and len(pad) + len(line) + len(word) + 3 > WIDTH:
            yield f"{pad}# {line}"
            line = ""
        line = f"{line} {word}" if line else word
    if line:
        yield f"{pad}# {line}"
