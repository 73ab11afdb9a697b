"""The page about searching shows files that work, and a test that passes."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "search.md"


def test_the_page(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
