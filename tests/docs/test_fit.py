"""The page about fit does what it says."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs/how-to/fit.md"


def test_fit(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
