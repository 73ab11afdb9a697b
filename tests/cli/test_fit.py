"""``shoal fit`` as it is typed, with a repository of git and without."""

import json
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.check.projects import written
from tests.cli.run import Run

SERVICE = """
from shoal import Service, anyone

{name} = Service("{name}")

@{name}.get("/{name}", access=anyone)
async def ask() -> str:
    return "1"
"""
SYSTEM = """
from one.service import one
from two.service import two
from shoal import System

system = System("pair", services=[one, two])
"""


@pytest.fixture(name="run")
def _run(run: Run, tmp_path: Path) -> Run:
    files = {f"{name}/service.py": SERVICE.format(name=name) for name in ("one", "two")}
    written(tmp_path, {"system.py": SYSTEM, **files})
    return partial(run, "fit")


def commit(root: Path, author: str) -> None:
    who = ("-c", f"user.name={author}", "-c", f"user.email={author}@shop.example", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "change")):
        subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True)  # noqa: S603, S607


def test_git_is_read_and_authors_are_counted_but_not_named(run: Run, tmp_path: Path) -> None:
    for author in ("ada", "bob"):
        (tmp_path / "one/more.py").write_text(f"by = {author!r}\n", "utf-8")
        commit(tmp_path, author)
    code, out, _ = run("-o", "json")
    found = {one["name"]: one for one in json.loads(out)["whole"]["criteria"]}
    assert code == 0
    assert found["small team"]["found"] == "2 (authors of 6 months)"
    assert found["independent changes"]["found"].startswith("100% of 1,")
    assert "ada" not in out


def test_without_git_it_is_said(run: Run) -> None:
    code, out, err = run()
    assert code == 0
    assert out.startswith("pair: too little is known")
    assert "no history of git" in err
    assert "--team N" in out


@pytest.mark.parametrize("words", [("--since", "soon"), ("--team", "0"), ("--region", "eu-central-1")])
def test_what_cannot_be_meant_is_refused(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words)[0] == 2


def test_markdown_and_cost(run: Run) -> None:
    code, out, _ = run("-o", "markdown", "--target", "aws")
    assert (code, "# Fit of pair" in out) == (0, True)
    assert "USD a month less (aws in" in out
