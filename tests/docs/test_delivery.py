"""The page about delivery does what it says, command by command, in an empty folder."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "delivery.md"


def test_the_page_about_delivery(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
