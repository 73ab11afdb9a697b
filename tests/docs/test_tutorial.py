"""The tutorial does what it says, command by command, in an empty folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shoal.local.ports import free_port
from tests.docs.walk import Command, File, steps, unmet

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.live
def test_tutorial(tmp_path: Path) -> None:
    port = str(free_port())
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "SHOAL_", "PYTHONPATH"))}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    try:
        for step in steps(DOCS / "tutorial.md"):
            if isinstance(step, File):
                file = tmp_path / step.path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(step.text)
            else:
                _run(step, port, tmp_path, environ)
    finally:
        _run(Command("shoal stop || true", ()), port, tmp_path, environ)


def _run(command: Command, port: str, folder: Path, environ: dict[str, str]) -> None:
    # Only the port differs from what the page prints, so that the test runs beside a system in use.
    line = command.line.replace(":8000", f":{port}").replace("shoal run", f"shoal run --port {port}")
    result = subprocess.run(  # noqa: S603 - the documentation's own lines, typed into a shell as a reader does
        ["/bin/bash", "-c", line], cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, f"$ {line}\n{output}"
    assert unmet(command, output) == [], f"$ {line}\n{output}"


def test_a_command_that_prints_something_else_is_noticed() -> None:
    command = Command("x", ("...ready...", '{"a":1}'))
    assert unmet(command, 'all ready now\n{"a":2}') == ['{"a":1}']
    assert unmet(command, 'all ready now\n{"a":1}') == []
