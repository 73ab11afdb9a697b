"""What a form of a report is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from shoal.check.report import Report
from shoal.check.rule import AnyRule

Paint = Callable[[str, str], str]
"""Colours a text for a role: ``error``, ``warning``, ``info``, ``place``, ``dim`` or ``code``."""


def plain(text: str, _: str) -> str:
    """Leave a text without colour."""
    return text


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A report, and what its forms need besides.

    Attributes:
        report: What was found.
        texts: Path → text, for the lines around a finding.
        rules: Every rule, for what stands on its page.
        version: Of this program.
        paint: Colours what people read.
        before: Where the project lies in its repository, as ``services/shop/``.
    """

    report: Report
    texts: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[AnyRule] = ()
    version: str = ""
    paint: Paint = plain
    before: str = ""

    @cached_property
    def lines(self) -> Mapping[str, Sequence[str]]:
        """Path → lines, of the files in which something is found."""
        files = {finding.where.file for finding in self.report.findings}
        return {file: self.texts[file].split("\n") for file in files & self.texts.keys()}

    def line(self, file: str, number: int) -> str:
        """Return a line of a file in which something is found; empty where it is not known."""
        lines = self.lines.get(file, ())
        return lines[number - 1].rstrip() if 0 < number <= len(lines) else ""
