"""The page about steering in the browser does what it says, command by command, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "dashboard-operate.md"


@pytest.mark.live
def test_the_page_about_steering(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
