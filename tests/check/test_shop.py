"""The reference system is checked as any other: nothing is found that is not mended, or let pass with a reason."""

from pathlib import Path

from shoal.check.subject import GIVEN
from shoal.cli.checking.check import Check
from shoal.operating.where import Project

ROOT = Path(__file__).parents[2]


def test_nothing_is_found_in_the_shop() -> None:
    report = Check(Project(root=ROOT)).run()
    assert [f"{finding.where} {finding.code} {finding.message}" for finding in report.findings] == []
    assert report.services == 10
    assert report.files > 50
    assert {need for rule in report.unasked for need in rule.needs} <= {"observed", "placed", *GIVEN}
