"""What options cannot mean is refused, and what a run in the background says last is shown."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from shoal.cli import detach
from shoal.cli.commands import canary, run
from shoal.local.state import RunState, write_state


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        (run.command, ["--sidecars", "--mesh", "off"], "contradict each other"),
        (canary.command, ["weigh", "tasks", "-1"], "-1.0 is not in the range"),
    ],
)
def test_what_cannot_be_meant_is_refused(command: Any, words: list[str], said: str) -> None:
    result = CliRunner().invoke(command, words, obj=SimpleNamespace(root=Path("nowhere"), verbosity=0))
    assert result.exit_code == 2
    assert said in result.output


def test_the_error_of_a_run_that_failed_late_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "supervisor.txt"
    answers = iter([None, None, None, 1, 1])

    def poll() -> int | None:
        code = next(answers)
        if code:
            file.write_text("error: old did not answer\n", "utf-8")
        return code

    monkeypatch.setattr(detach, "_SIGNS_WITHIN", -1.0)
    write_state(tmp_path, RunState(system="d", root=str(tmp_path), shape="local", pid=7, status="failed"))
    child: Any = SimpleNamespace(pid=7, poll=poll)
    context: Any = SimpleNamespace(root=tmp_path, verbosity=0)
    assert detach._follow(context, child, file, wait=True) == 1
    said = capsys.readouterr()
    assert "error: old did not answer" in said.out + said.err
