"""The page about sagas shows files that work, and tests that pass."""

from pathlib import Path

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "sagas.md"


def test_the_page_about_sagas(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
