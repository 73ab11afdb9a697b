"""The page about the audit log of commands shows files that work, and commands that print what it says."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "commands.md"


def test_the_page(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
