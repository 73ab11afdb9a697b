"""The page about personal data shows files that work, and tests that pass."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "personal-data.md"


def test_the_page(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
