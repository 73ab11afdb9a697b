"""Read a page of the documentation as a reader would: write its files, run its commands, compare what they print."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shoal.local.ports import free_port

_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class File:
    """A file that the page asks the reader to write."""

    path: str
    text: str


@dataclass(frozen=True)
class Script:
    """Commands that the page asks the reader to type, and the lines that it shows; ``...`` stands for anything."""

    text: str
    shown: tuple[str, ...]


def walk(page: Path, folder: Path) -> None:
    """Do all that a page says in an empty folder, then stop what still runs of it."""
    port, found = free_port(), list(steps(page))
    assert found, f"{page} asks for nothing"
    try:
        for step in found:
            if isinstance(step, File):
                file = folder / step.path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(step.text, "utf-8")
            else:
                run(step, folder, reader(), port)
    finally:
        for state in list(folder.rglob(".shoal")):
            run(Script(text=f"shoal -C {shlex.quote(str(state.parent))} stop", shown=()), folder, reader(), port)


def steps(page: Path) -> Iterator[File | Script]:
    """Yield what the reader does, in order."""
    for language, title, text in _FENCE.findall(page.read_text(encoding="utf-8")):
        if title:
            yield File(path=title, text=text)
        elif language == "console":
            yield _script(text)


def run(script: Script, folder: Path, environ: Mapping[str, str], port: int) -> None:
    """Type the commands into a shell, and compare what they print.

    Only the gateway's port differs from what the page says, so that the test runs beside a system in use.
    """
    text = re.sub(r"shoal run\b", f"shoal run --port {port}", script.text.replace(":8000", f":{port}"))
    result = subprocess.run(  # noqa: S603 - the documentation's own lines, typed into a shell as a reader does
        ["/bin/bash", "-ec", text],
        cwd=folder,
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, f"$ {text}\n{output}"
    assert unmet(script, output) == [], f"$ {text}\n{output}"


def unmet(script: Script, output: str) -> list[str]:
    """List the shown lines that the output lacks."""
    return [line for line in script.shown if not _pattern(line).search(output)]


def reader() -> dict[str, str]:
    """Return the environment of a reader who has installed Shoal as the page says."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "SHOAL_", "PYTHONPATH"))}
    environ["PYTHONDONTWRITEBYTECODE"] = "1"  # what was compiled a moment ago would stand for a file that is replaced
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    return environ


def _script(text: str) -> Script:
    lines = [line for line in text.splitlines() if line.strip()]
    return Script(
        text="\n".join(line[2:] for line in lines if line.startswith("$ ")),
        shown=tuple(line for line in lines if not line.startswith("$ ")),
    )


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, line.strip().split("..."))), re.DOTALL)
