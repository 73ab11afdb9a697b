"""The page on PostgreSQL does what it says, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "postgres.md"


@pytest.mark.live
def test_postgres(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
