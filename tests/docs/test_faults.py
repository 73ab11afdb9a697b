"""The page about faults does what it says, command by command, in an empty folder."""

from pathlib import Path

import pytest

from shoal.local.ports import free_port
from tests.docs.walk import File, Script, reader, run, steps

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "faults.md"


@pytest.mark.live
def test_the_page_about_faults(tmp_path: Path) -> None:
    port = free_port()
    try:
        for step in steps(PAGE):
            assert not isinstance(step, File)
            run(step, tmp_path, reader(), port)
    finally:
        run(Script(text="shoal -C demo stop || true", shown=()), tmp_path, reader(), port)
