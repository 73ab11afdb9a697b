"""Short directories, collected output and processes that never outlive their test."""

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shoal.local.process import Command, Process, base_environment, start

PythonCommand = Callable[..., Command]
StartPython = Callable[..., Awaitable[Process]]


@pytest.fixture(scope="session")
def cache() -> Iterator[Path]:
    """Stand in for the user's cache, so that a test run starts without one and leaves none."""
    with tempfile.TemporaryDirectory(prefix="shoal-cache-") as path:
        yield Path(path)


@pytest.fixture
def place(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a directory whose name leaves room for socket paths, and that other users can enter."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    path = Path(tempfile.mkdtemp(prefix="sh-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def output() -> list[str]:
    """Collect what a process says."""
    return []


@pytest.fixture
def python(place: Path) -> PythonCommand:
    """Make commands that run a piece of Python."""

    def make(code: str, *arguments: str, **options: Any) -> Command:
        argv = (sys.executable, "-I", "-S", "-u", "-c", code, *arguments)
        return replace(Command(name="sample", argv=argv, cwd=place, env=base_environment()), **options)

    return make


@pytest.fixture
async def run_python(python: PythonCommand, output: list[str]) -> AsyncIterator[StartPython]:
    """Start pieces of Python whose lines go to `output`, and kill what is left at the end."""
    started: list[Process] = []

    async def begin(code: str, *arguments: str, **options: Any) -> Process:
        process = await start(python(code, *arguments, **options), output.append)
        started.append(process)
        return process

    yield begin
    for process in started:
        await process.kill()
