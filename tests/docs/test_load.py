"""The page about load does what it says."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "load.md"


@pytest.mark.live
def test_the_page_about_load(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
