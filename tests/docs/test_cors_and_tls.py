"""The page on CORS and TLS does what it says, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import walk

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cors-and-tls.md"


@pytest.mark.live
def test_cors_and_tls(tmp_path: Path) -> None:
    walk(PAGE, tmp_path)
