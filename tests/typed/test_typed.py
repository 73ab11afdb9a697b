"""What an author writes passes strict type checkers, and what an author gets wrong is flagged on its line."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MISUSES = sorted(HERE.glob("misuse_*.py"))
SOUND = (
    "api.py",
    "cache.py",
    "contract.py",
    "documents.py",
    "gateway.py",
    "ledgers.py",
    "objectives.py",
    "objects.py",
    "personal.py",
    "sockets.py",
)
FILES = [*(HERE / name for name in SOUND), *MISUSES]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
EXPECTED = "# expect-error"

Flagged = dict[str, dict[int, str]]
"""By file: what is said about its lines."""


def run(*command: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own tools, as a list
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout or done.stderr


def mypy() -> Flagged:
    flagged: Flagged = {path.name: {} for path in FILES}
    text = run("mypy", "--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary", *map(str, FILES))
    for line in text.splitlines():
        match = re.match(r"(.+?):(\d+)(?::\d+)?: (error|note): (.+)", line)
        assert match, text
        if match[3] == "error":
            flagged[Path(match[1]).name].setdefault(int(match[2]), match[4])
    return flagged


def pyright(folder: Path) -> Flagged:
    if find_spec("pyright") is None:
        pytest.skip("pyright is not installed")
    project = folder / "pyrightconfig.json"  # the checkout's own leaves the mistakes out
    paths = {"include": [os.path.relpath(path, folder) for path in FILES], "extraPaths": [str(ROOT / "src"), str(ROOT)]}
    project.write_text(json.dumps(paths | {"pythonVersion": "3.11", "typeCheckingMode": "standard"}))
    text = run("pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(project))
    if not text.lstrip().startswith("{"):
        pytest.skip(f"pyright cannot run here, it wants to be downloaded first: {text[-200:]}")
    flagged: Flagged = {path.name: {} for path in FILES}
    answer = json.loads(text)
    assert answer["summary"]["filesAnalyzed"] == len(FILES)
    for found in answer["generalDiagnostics"]:
        if found["severity"] == "error":
            flagged[Path(found["file"]).name][found["range"]["start"]["line"] + 1] = found["message"]
    return flagged


@pytest.fixture(scope="module", name="flagged", params=["mypy", "pyright"])
def _flagged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Flagged]:
    checker = str(request.param)
    return checker, mypy() if checker == "mypy" else pyright(tmp_path_factory.mktemp("pyright"))


@pytest.mark.parametrize("name", SOUND)
def test_what_an_author_writes_is_not_flagged(flagged: tuple[str, Flagged], name: str) -> None:
    assert flagged[1][name] == {}


@pytest.mark.parametrize("path", MISUSES, ids=lambda p: p.stem)
def test_a_mistake_is_flagged_on_its_line_and_nothing_else(flagged: tuple[str, Flagged], path: Path) -> None:
    found = flagged[1][path.name]
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = {number for number, line in enumerate(lines, start=1) if EXPECTED in line}
    missed = [f"{n}: {lines[n - 1].strip()}" for n in sorted(expected - found.keys())]
    surprising = [f"{n}: {found[n]}" for n in sorted(found.keys() - expected)]
    assert (missed, surprising) == ([], [])
    assert len(expected) > 10
