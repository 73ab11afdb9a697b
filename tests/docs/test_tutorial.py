"""The tutorial does what it says, command by command, in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.walk import Script, unmet, walk

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.live
def test_tutorial(tmp_path: Path) -> None:
    walk(DOCS / "tutorial.md", tmp_path)


def test_output_that_differs_is_noticed() -> None:
    script = Script(text="x", shown=("...ready...", '{"a":1}'))
    assert unmet(script, 'all ready now\n{"a":2}') == ['{"a":1}']
    assert unmet(script, 'all ready now\n{"a":1}') == []
