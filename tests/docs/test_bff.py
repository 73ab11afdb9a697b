"""The page on backends for frontends does what it says, in an empty folder."""

from pathlib import Path

import pytest

from shoal.local.ports import free_port
from tests.docs.walk import File, Script, reader, run, steps

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "bff.md"


@pytest.mark.live
def test_bff(tmp_path: Path) -> None:
    port = free_port()
    try:
        for step in steps(PAGE):
            if isinstance(step, File):
                file = tmp_path / step.path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(step.text)
            else:
                run(step, tmp_path, reader(), port)
    finally:
        run(Script(text="shoal stop || true", shown=()), tmp_path, reader(), port)
