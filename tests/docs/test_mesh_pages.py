"""The pages about breakers, discovery and shapes do what they say, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


@pytest.mark.live
@pytest.mark.parametrize("name", ["circuit-breakers", "discovery", "shapes"])
def test_the_page(tmp_path: Path, name: str) -> None:
    walk(PAGES / f"{name}.md", tmp_path)
