"""The pages about breakers, discovery and shapes do what they say, in an empty folder."""

from pathlib import Path

import pytest

from shoal.local.ports import free_port
from tests.docs.walk import File, Script, reader, run, steps

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


@pytest.mark.live
@pytest.mark.parametrize("name", ["circuit-breakers", "discovery", "shapes"])
def test_the_page(tmp_path: Path, name: str) -> None:
    port = free_port()
    try:
        for step in steps(PAGES / f"{name}.md"):
            if isinstance(step, File):
                (tmp_path / step.path).write_text(step.text, "utf-8")
            else:
                run(step, tmp_path, reader(), port)
    finally:
        run(Script(text="shoal stop || true", shown=()), tmp_path, reader(), port)
