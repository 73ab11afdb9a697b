"""The page about who may call does what it says, command by command, in an empty folder."""

from pathlib import Path

import pytest

from shoal.local.ports import free_port
from tests.docs.walk import File, Script, reader, run, steps

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "authentication.md"


@pytest.mark.live
def test_the_page_about_who_may_call(tmp_path: Path) -> None:
    port = free_port()
    try:
        for step in steps(PAGE):
            if isinstance(step, File):
                place = tmp_path / step.path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(step.text)
            else:
                run(step, tmp_path, reader(), port)
    finally:
        run(Script(text="shoal stop || true", shown=()), tmp_path, reader(), port)
