"""A copy of the shop that may be broken, checked as it is from the command line."""

import io
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from shoal.cli.program import main
from tests.check.breaks.kinds import Edit
from tests.check.projects import importing

ROOT = Path(__file__).parents[2]
Finding = dict[str, Any]
"""As ``-f json`` has it."""


@contextmanager
def another_shop(root: Path) -> Iterator[None]:
    """Import the shop of another folder, and afterwards have that of before."""
    own = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "shop"}
    for name in own:
        del sys.modules[name]
    try:
        with importing(root):
            yield
    finally:
        sys.modules.update(own)


def copied(root: Path) -> Path:
    """Copy the shop as somebody has it who begins with it."""
    for folder in ("shop", "contracts"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", ".shoal"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def edit(root: Path, edits: Iterable[Edit]) -> None:
    """Edit files; what is to be replaced stands in them once."""
    for file, before, after in edits:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8") if before else ""
        assert text.count(before) == 1, f"{file} has {before!r} {text.count(before)} times"
        path.write_text(text.replace(before, after), "utf-8")


def check(root: Path, *words: str) -> list[Finding]:
    """Check a folder as somebody at a terminal does, and list what is found."""
    with another_shop(root), redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit):
        main(["-q", "-C", str(root), "check", "-f", "json", *words])
    return list(json.loads(out.getvalue())["findings"])
