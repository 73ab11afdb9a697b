"""The page on documents does what it says, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "documents.md"


@pytest.mark.live
def test_documents(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
