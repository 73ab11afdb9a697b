"""The page on SQLAlchemy does what it says, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "sqlalchemy.md"


@pytest.mark.live
def test_sqlalchemy(tmp_path: Path) -> None:
    pytest.importorskip("sqlalchemy", reason="needs shoal[sqlalchemy]")
    walk(PAGE, tmp_path)
