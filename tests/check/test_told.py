"""Codes that are no rule's: what a plan says is shown, explained, let pass and counted as the author says."""

import re
from pathlib import Path

from shoal import model
from shoal.check.told import TOLD
from tests.check.projects import found, report_of

MODEL = Path(model.__file__).parent

LONELY = """
import msgspec
from shoal import Postgres, Service, System, event


@event("shop.failed", key="item", failure=True){comment}
class Failed(msgspec.Struct):
    item: str


shop = Service("shop", store=Postgres(), publishes=[Failed])
system = System("small", services=[shop])
"""


def test_every_code_of_a_plan_is_explained() -> None:
    source = "".join(file.read_text("utf-8") for file in MODEL.glob("*.py"))
    assert set(re.findall(r'code="(PLAN-[A-Z]+-\d+)"', source)) == set(TOLD)


def test_what_a_plan_says_is_found_at_its_place(tmp_path: Path) -> None:
    report = report_of(tmp_path, {"system.py": LONELY.format(comment="")})
    assert found(report) == [("PLAN-SAGA-01", "system.py:6")]


def test_a_comment_lets_it_pass(tmp_path: Path) -> None:
    text = LONELY.format(comment="  # shoal: ignore[PLAN-SAGA-01] a person looks at each")
    report = report_of(tmp_path, {"system.py": text})
    assert report.findings == ()
    assert [f.reason for f in report.ignored] == ["a person looks at each"]


def test_it_counts_as_the_settings_say(tmp_path: Path) -> None:
    settings = '[tool.shoal.check.severity]\nPLAN-SAGA-01 = "info"\n'
    files = {"system.py": LONELY.format(comment=""), "pyproject.toml": settings}
    assert [f.severity for f in report_of(tmp_path, files).findings] == ["info"]


def test_it_can_be_left_out(tmp_path: Path) -> None:
    settings = '[tool.shoal.check]\ndisable = ["PLAN-SAGA"]\n'
    files = {"system.py": LONELY.format(comment=""), "pyproject.toml": settings}
    assert report_of(tmp_path, files).findings == ()
