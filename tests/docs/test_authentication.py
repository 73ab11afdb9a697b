"""The page about who may call does what it says, command by command, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "authentication.md"


@pytest.mark.live
def test_the_page_about_who_may_call(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
