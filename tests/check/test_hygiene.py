"""What holds for all rules together: each is tried beyond its page, says what to do, and is mended where it says so."""

import re
from pathlib import Path

import pytest

from shoal.check import page
from shoal.check.finding import RANK
from shoal.check.fixing import fixed
from shoal.check.report import OUTDATED
from shoal.check.rule import AnyRule
from shoal.check.rules import rule_failed
from shoal.check.table import RULES
from shoal.cli.checking.check import Beside, Check
from shoal.operating.where import Project
from tests.check.projects import importing, report_of, written

ROOT = Path(__file__).parents[2]
CODES = {rule.code for rule in RULES}
NOBODY = "SH999"
"""A code that is shown as one that there is not."""

LENGTH = 200
"""Characters of a message: a line of a terminal or two."""

OWN = [rule for rule in RULES if rule is not rule_failed.RULE]  # whose page shows a rule of a package
every_rule = pytest.mark.parametrize("rule", OWN, ids=[rule.code for rule in OWN])
mended = [rule for rule in RULES if rule.fixable and rule.code != OUTDATED]  # which the baseline's own tests try


def test_every_rule_is_tried_beyond_its_page() -> None:
    files = [*(ROOT / "tests/check").rglob("*.py"), *(ROOT / "tests/cli").glob("test_*.py")]
    tried = set(re.findall(r"SH\d{3}", "".join(file.read_text("utf-8") for file in files if file != Path(__file__))))
    assert CODES - tried == set(), "a near miss of each: what looks like the mistake and is none"


def test_codes_that_somebody_is_told_of_exist() -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", *(ROOT / "src/shoal").rglob("*.py")]
    for file in pages:
        named = set(re.findall(r"\bSH\d{3}\b", file.read_text("utf-8"))) - {NOBODY}
        assert named <= CODES, f"{file.relative_to(ROOT)} names {', '.join(sorted(named - CODES))}"


@every_rule
def test_a_finding_says_where_what_and_what_to_do(rule: AnyRule, tmp_path: Path) -> None:
    found = [one for one in report_of(tmp_path, page.read(rule).example("Bad").files).findings if one.code == rule.code]
    for one in found:
        assert one.help, f"{rule.code} does not say what to do"
        assert not one.message.endswith("."), one.message
        assert len(one.message.splitlines()[0]) <= LENGTH, one.message
        assert one.where.line > 0, one.where
        assert one.severity in RANK


@pytest.mark.parametrize("rule", mended, ids=[rule.code for rule in mended])
def test_what_is_said_to_be_mended_is(rule: AnyRule, tmp_path: Path) -> None:
    files = page.read(rule).example("Bad").files
    with importing(written(tmp_path, files)):
        check = Check(Project(root=tmp_path), beside=Beside())
        report = check.run()
        assert check.subject is not None
        made = fixed(report.findings, check.subject.texts)
    assert rule.code in {one.code for one in made.mended}
    after = report_of(tmp_path / "after", {**files, **made.texts})
    before = sum(one.code == rule.code for one in report.findings)
    assert sum(one.code == rule.code for one in after.findings) < before
