"""What a form of a report is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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

    def line(self, file: str, number: int) -> str:
        """Return a line of a file; empty where it is not known."""
        lines = self.texts.get(file, "").split("\n")
        return lines[number - 1].rstrip() if 0 < number <= len(lines) else ""
