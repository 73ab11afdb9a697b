"""Read a page of the documentation as a reader would: write its files, run its commands, compare what they print."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class File:
    """A file that the page asks the reader to write."""

    path: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command that the page asks the reader to run, and the lines that it shows; ``...`` stands for anything."""

    line: str
    shown: tuple[str, ...]


def steps(page: Path) -> Iterator[File | Command]:
    """Yield what the reader does, in order."""
    for language, title, text in _FENCE.findall(page.read_text(encoding="utf-8")):
        if title:
            yield File(path=title, text=text)
        elif language == "console":
            yield from _commands(text)


def unmet(command: Command, output: str) -> list[str]:
    """List the shown lines that the output lacks."""
    return [line for line in command.shown if not _pattern(line).search(output)]


def _commands(text: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        yield Command(line=line, shown=tuple(s for s in shown.splitlines() if s.strip()))


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, line.strip().split("..."))), re.DOTALL)
