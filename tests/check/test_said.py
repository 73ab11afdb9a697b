"""What each rule says of the bad system on its page; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

from shoal.check import page
from shoal.check.finding import Place
from shoal.check.report import Report
from shoal.check.rules import rule_failed
from shoal.check.table import RULES
from tests.check.projects import report_of

GOLDEN = Path(__file__).parents[1] / "golden" / "check" / "said.txt"


def _said(code: str, report: Report) -> list[str]:
    """Spell the findings of one rule, a line for each thing that is said."""
    lines: list[str] = []
    for found in (one for one in report.findings if one.code == code):
        lines += [f"{code} {found.severity} {found.where}", f"  {found.message}"]
        lines += [f"  impact: {found.impact}"] if found.impact else []
        lines += [f"  help: {found.help}"] if found.help else []
        lines += [f"  note: {_short(note.where)} {note.text}" for note in found.notes]
        lines += [f"  edit: {_short(edit.where)} {edit.replacement!r}" for edit in found.edits]
    return lines


def _short(where: Place) -> str:
    return f"{where.file}:{where.line}"


def test_every_rule_says_what_is_wrong_what_it_costs_and_what_to_do(tmp_path: Path) -> None:
    lines: list[str] = []
    for rule in sorted(RULES, key=lambda rule: rule.code):
        if rule is not rule_failed.RULE:  # whose page shows a rule of a package
            lines += _said(rule.code, report_of(tmp_path / rule.code, page.read(rule).example("Bad").files))
    text = "\n".join(lines) + "\n"
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(text, "utf-8")
    assert GOLDEN.read_text("utf-8") == text
