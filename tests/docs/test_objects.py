"""The page about objects shows files that work, a system that runs, and a test that passes."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "objects.md"


def test_the_page(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
