"""The page about contracts does what it says, command by command, in an empty folder."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "contracts.md"


def test_the_page_about_contracts(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
