"""The page of a rule: its module's docstring, read into parts and printed as Markdown or for a terminal.

The docstring's first line says what is wrong. Then come sections: ``## What it does``, ``## Why``, ``## Bad``, ``##
Good``, and ``## Options`` where there are any. ``Bad`` and ``Good`` show files: each fenced block is one, called
``system.py`` or by its ``title="..."``; together they are a whole project that can be checked. In ``Bad`` a comment
``# <- SH101`` (or ``-- <- SH101``, or just ``<- SH101``) stands at each line at which the rule finds something. A
block of the language ``observed`` is what a run has seen, as JSON, and one of ``placed`` what lies where the system is
deployed from.
"""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from shoal.check.rule import FAMILIES, NEEDS, AnyRule, Need
from shoal.check.subject import DECLARED
from shoal.check.told import TOLD

SECTIONS = ("What it does", "Why", "Bad", "Good")
"""What every page has."""

OBSERVED, PLACED = "observed.json", "placed.json"
"""What the blocks of the languages ``observed`` and ``placed`` are called among the files."""

_FENCE = re.compile(
    r"^```(?P<language>[a-z]+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_USUAL = {"observed": OBSERVED, "placed": PLACED}
_MARK = re.compile(r"[ \t]*(?:#|--)? ?<- (?P<code>[A-Z]+\d+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """Files of a project that is bad, or good.

    Attributes:
        files: Path → text, without the marks.
        marked: Path and line of each finding that is shown.
    """

    files: dict[str, str]
    marked: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Page:
    """A page in parts."""

    title: str
    sections: dict[str, str]

    def example(self, section: str) -> Example:
        """Read the files that a section shows."""
        files: dict[str, str] = {}
        marked: list[tuple[str, int]] = []
        for block in _FENCE.finditer(self.sections.get(section, "")):
            path = block["title"] or _USUAL.get(block["language"], "system.py")
            lines = block["text"].split("\n")
            marked += [(path, number) for number, line in enumerate(lines, 1) if _MARK.search(line)]
            files[path] = _MARK.sub("", block["text"])
        return Example(files, tuple(marked))


def read(rule: AnyRule) -> Page:
    """Read the page of a rule."""
    text = inspect.cleandoc(rule.page or "")
    head, *rest = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    sections = {title.strip(): body.strip("\n") for title, body in zip(rest[::2], rest[1::2], strict=True)}
    return Page(head.strip(), sections)


def markdown(rule: AnyRule) -> str:
    """Print the page of a rule for ``docs/rules``."""
    page = read(rule)
    parts = [f"# {rule.code}: {rule.name}\n\n{page.title}\n\n{facts(rule)}"]
    parts += [f"## {title}\n\n{body.strip()}" for title, body in page.sections.items()]
    return "\n\n".join(parts) + "\n"


def facts(rule: AnyRule) -> str:
    """Say in one line what kind of rule it is."""
    words = [f"Family: {rule.family}", f"severity: {rule.severity}"]
    words += ["some of its findings are mended by `--fix`"] if rule.fixable else []
    words += [] if rule.enabled else ["asked only where `enable` names it"]
    words += [f"needs {NEEDS[need]}" for need in sorted(rule.needs - DECLARED)]
    words += [_elsewhere(need) for need in sorted(rule.needs & DECLARED)]
    return "; ".join(words) + "."


def _elsewhere(need: Need) -> str:
    """Say what a rule needs of a system that was not written with Shoal."""
    if need == "declarations":
        return "not asked of systems that were not written with Shoal"
    return f"of a system that was not written with Shoal it needs {NEEDS[need]}"


def index(rules: Sequence[AnyRule]) -> str:
    """Print the list of rules for ``docs/rules``, by family."""
    parts = ["# Rules", _INTRODUCTION]
    for family, about in FAMILIES.items():
        rows = [
            f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.severity} | {rule.summary} |\n"
            for rule in sorted(rules, key=lambda rule: rule.code)
            if rule.code.startswith(family)
        ]
        if rows:
            head = "| Code | Name | Severity | What is wrong |\n|---|---|---|---|\n"
            parts.append(f"## {family}: {about}\n\n{head}{''.join(rows)}".rstrip())
    told = "".join(f"| {code} | {text} |\n" for code, text in TOLD.items())
    parts.append(f"## What a plan says\n\n| Code | Meaning |\n|---|---|\n{told}".rstrip())
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = """\
What `shoal check` looks for. Each rule has a page: what it does, why it hurts, a bad and a good system, its options.
The same page in a terminal: `shoal explain SH101`. [How to check a system](../how-to/check.md) ·
[Which of them looks at which pitfall](references.md)"""
