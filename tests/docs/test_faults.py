"""The page about faults does what it says, command by command, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "faults.md"


@pytest.mark.live
def test_the_page_about_faults(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
