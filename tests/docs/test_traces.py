"""The pages about traces and about the viewer do what they say, command by command, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

DOCS = Path(__file__).parents[2] / "docs" / "how-to"


@pytest.mark.live
@pytest.mark.parametrize("page", ["traces", "viewer"])
def test_the_page(page: str, tmp_path: Path) -> None:
    walk(DOCS / f"{page}.md", tmp_path)
