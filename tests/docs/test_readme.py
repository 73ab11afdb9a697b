"""The README's lines work as printed, against the shop."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shoal.testing import LiveSystem
from tests.docs.walk import Script, reader, run, steps

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.live
def test_the_three_lines_of_the_readme(live: LiveSystem, tmp_path: Path) -> None:
    scripts = [step for step in steps(README) if isinstance(step, Script)]
    assert len(scripts) == 1
    assert scripts[0].text.count("\n") == 2, "three lines"
    port = urlsplit(live.state.gateway).port
    assert port is not None
    run(scripts[0], tmp_path, reader(), port)
