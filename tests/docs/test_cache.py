"""The page on values for a time does what it says, in an empty folder."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cache.md"


def test_cache(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
