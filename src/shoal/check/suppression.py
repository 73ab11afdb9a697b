"""Comments that let a finding pass, each with its reason: ``# shoal: ignore[SH101] the partner's rule``.

A comment speaks of its own line, or, where nothing else is on its line, of the next line that holds more than a
comment. It is read in Python files, and behind ``#`` or ``--`` in all others; behind other comments, too, as in
``# noqa: S310  # shoal: ignore[...]``.
"""

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shoal.check.finding import Edit, Place, Reported

MARK = "shoal: ignore"
_COMMENT = re.compile(r"(?:^|(?<=\s))(?:#|--)\s*shoal:\s*ignore(?P<codes>\[[^\]]*\])?[\s:–-]*(?P<reason>.*)$")
_OTHER = re.compile(r"(?:^|\s)(?:#|--)\s*shoal:\s*ignore.*$")


@dataclass(frozen=True, eq=False)
class Ignore:
    """One comment.

    Attributes:
        where: The comment itself.
        line: Of which line it speaks.
        codes: Which codes it lets pass.
        reason: Why; empty where nobody said.
        begin: The column behind the code of its line; 1 where nothing else is on it.
    """

    where: Place
    line: int
    codes: tuple[str, ...]
    reason: str
    begin: int

    def speaks_of(self, finding: Reported) -> bool:
        """Tell whether it lets a finding pass."""
        place = finding.where
        lines = range(place.line, max(place.line, place.end_line) + 1)
        return finding.code in self.codes and place.file == self.where.file and self.line in lines

    def without(self, codes: set[str]) -> Edit:
        """Take codes out of the comment, and with the last one all of it."""
        left = [code for code in self.codes if code not in codes]
        if left:
            return Edit(self.where, f"# {MARK}[{', '.join(left)}] {self.reason}")
        file, line = self.where.file, self.where.line
        if self.begin == 1:  # with its line
            return Edit(Place(file, line, 1, line + 1, 1), "")
        return Edit(Place(file, line, self.begin, line, self.where.end_column), "")


def comments(files: Mapping[str, str]) -> tuple[Ignore, ...]:
    """Read every comment of the kind, file by file."""
    return tuple(ignore for path, text in files.items() if "shoal:" in text for ignore in _of(path, text))


def _of(path: str, text: str) -> Iterator[Ignore]:
    lines = text.split("\n")
    for line, begin, said in _python(text) if path.endswith(".py") else _any(lines):
        found = _COMMENT.search(said)
        if found is None:
            continue
        column, comment = begin + found.start(), found[0]
        before = lines[line - 1][:column]
        codes = tuple(code.strip() for code in (found["codes"] or "")[1:-1].split(",") if code.strip())
        where = Place(path, line, column + 1, line, column + len(comment) + 1)
        alone = not lines[line - 1][:begin].strip()
        told = _next(lines, line) if alone else line
        yield Ignore(where, told, codes, found["reason"].strip(), len(before.rstrip()) + 1)


def _next(lines: list[str], line: int) -> int:
    """Find the next line that holds more than a comment."""
    for number, text in enumerate(lines[line:], line + 1):
        bare = text.strip()
        if bare and not bare.startswith(("#", "--")):
            return number
    return line


def _python(text: str) -> Iterator[tuple[int, int, str]]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and "shoal:" in token.string:
                yield token.start[0], token.start[1], token.string
    except (tokenize.TokenError, SyntaxError):
        return  # a file that is broken since it was imported


def _any(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    for number, line in enumerate(lines, 1):
        found = _OTHER.search(line)
        if found is not None:
            comment = found[0].lstrip()
            yield number, len(line) - len(comment), comment
