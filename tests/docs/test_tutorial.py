"""The tutorial does what it says, command by command, in an empty folder."""

from pathlib import Path

import pytest

from shoal.local.ports import free_port
from tests.docs.walk import File, Script, reader, run, steps, unmet

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.live
def test_tutorial(tmp_path: Path) -> None:
    port = free_port()
    try:
        for step in steps(DOCS / "tutorial.md"):
            if isinstance(step, File):
                file = tmp_path / step.path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(step.text)
            else:
                run(step, tmp_path, reader(), port)
    finally:
        run(Script(text="shoal stop || true", shown=()), tmp_path, reader(), port)


def test_output_that_differs_is_noticed() -> None:
    script = Script(text="x", shown=("...ready...", '{"a":1}'))
    assert unmet(script, 'all ready now\n{"a":2}') == ['{"a":1}']
    assert unmet(script, 'all ready now\n{"a":1}') == []
