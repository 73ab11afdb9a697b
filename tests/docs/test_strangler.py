"""The page about old applications does what it says, command by command, in an empty folder."""

from pathlib import Path

import pytest

from shoal.local.ports import free_port
from tests.docs.walk import File, Script, reader, run, steps

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "strangler.md"


@pytest.mark.live
def test_the_page_about_old_applications(tmp_path: Path) -> None:
    port = free_port()
    try:
        for step in steps(PAGE):
            if isinstance(step, File):
                (tmp_path / step.path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / step.path).write_text(step.text)
            else:
                run(step, tmp_path, reader(), port)
    finally:
        run(Script(text="shoal -C demo stop || true", shown=()), tmp_path, reader(), port)
