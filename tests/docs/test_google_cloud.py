"""The page about Google Cloud does what it says, command by command, in an empty folder."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "google-cloud.md"


def test_the_page(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
