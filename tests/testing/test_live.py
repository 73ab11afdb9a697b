"""A system on its real engines does not outlive the tests that began to start it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from shoal.testing import live

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("broken_off", [KeyboardInterrupt, subprocess.TimeoutExpired("shoal", 120)])
def test_a_start_that_is_broken_off_is_stopped(
    broken_off: type[BaseException] | BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[tuple[str, ...]] = []

    def run(command: tuple[str, ...], environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        commands.append(command)
        if "run" in command:
            raise broken_off
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(live, "_run", run)
    with pytest.raises((KeyboardInterrupt, subprocess.TimeoutExpired)):
        live.start_live(ROOT, "shop.system:system", tmp_path)
    begun, ended = commands
    assert "run" in begun
    assert ended == (*begun[: begun.index("run")], "stop")
