"""Commands as they are typed in the folder of a test, and what comes of them."""

from pathlib import Path

import pytest

from shoal.cli.program import main
from tests.check.projects import importing
from tests.cli.run import Run


@pytest.fixture(name="run")
def _run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run commands in a folder; what they import from there is forgotten after each."""
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words: str) -> tuple[int, str, str]:
        with importing(tmp_path), pytest.raises(SystemExit) as ended:
            main(["-C", str(tmp_path), *words])
        said = capsys.readouterr()
        return int(str(ended.value.code or 0)), said.out, said.err

    return run
