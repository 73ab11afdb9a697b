"""What failed among many tests is asked again, alone, and only then decides."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import asked_again

ROOT = Path(__file__).parent.parent

FLICKERS = """
import pathlib
def test_once():
    flag = pathlib.Path(__file__).with_name("flag")
    known = flag.exists()
    flag.touch()
    assert known
"""
NEVER = "\n\nimport pytest\n@pytest.mark.parametrize('n', range({number}))\ndef test_never(n): assert n < 0\n"


def run(folder: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run tests in a project of their own that has this project's habits."""
    (folder / "test_it.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p tests.conftest\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py", *options]
    around = {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    return subprocess.run(  # noqa: S603 (this interpreter)
        command, cwd=folder, env=around, capture_output=True, text=True, check=False
    )


def test_what_passes_alone_is_named_and_does_not_hold_back(tmp_path: Path) -> None:
    ended = run(tmp_path, FLICKERS, "-n1")
    assert "Passed alone, failed among others: test_it.py::test_once" in ended.stdout
    assert ended.returncode == 0


@pytest.mark.parametrize("options", [["-n1"], []], ids=["several processes", "one process"])
def test_what_fails_again_is_red(tmp_path: Path, options: list[str]) -> None:
    assert run(tmp_path, NEVER.format(number=1), *options).returncode == pytest.ExitCode.TESTS_FAILED


def test_one_process_is_never_asked_again(tmp_path: Path) -> None:
    assert run(tmp_path, FLICKERS).returncode == pytest.ExitCode.TESTS_FAILED


def test_many_are_not_asked_again(tmp_path: Path) -> None:
    ended = run(tmp_path, FLICKERS + NEVER.format(number=asked_again.FEW), "-n1")
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert "asked again" not in ended.stdout
