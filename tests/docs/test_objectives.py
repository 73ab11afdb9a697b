"""The page about objectives shows files that work, and commands that print what it says."""

from pathlib import Path

from shoal.model.burning import alarms
from shoal.model.objectives import Objective
from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "objectives.md"


def test_the_page(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)


def test_the_alarms_of_the_page_are_those_of_the_code() -> None:
    text = PAGE.read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith(("| `page`", "| `ticket`"))]
    found = alarms(Objective(availability=0.999))
    assert [row.split("|")[2].strip() for row in rows] == [f"{alarm.rate:g}" for alarm in found]
    assert [row.split("|")[1].strip()[1:5] for row in rows] == [alarm.severity[:4] for alarm in found]
