"""The page on transformation does what it says, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "transformation.md"


@pytest.mark.live
def test_transformation(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
