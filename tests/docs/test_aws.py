"""The pages about AWS and about costs do what they say, command by command, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["aws.md", pytest.param("cost.md", marks=pytest.mark.live)])
def test_the_page(page: str, tmp_path: Path) -> None:
    walk(DOCS / page, tmp_path)
