"""The page about checks does what it says."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs/how-to/check.md"


def test_check(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
