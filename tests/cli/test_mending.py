"""``shoal check --fix``: what is safe is mended, ``--diff`` shows it first, and the system does the same afterwards."""

import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.check.projects import written
from tests.cli.run import Run

SYSTEM = """
import asyncio

from shoal import Objective, Service, System, anyone

charts = Service("charts", objectives=[Objective(availability=0.99)])


def draw(what: str = "nothing") -> str:
    return what


@charts.get("/chart", access=anyone)
async def chart() -> str:
    '''Draw a chart.'''
    loop = asyncio.get_running_loop()
    return {body}


system = System("office", services=[charts])
"""
BAD = "await loop.run_in_executor(None, draw, 'ä')  # the usual threads"
GOOD = "await asyncio.to_thread(draw, 'ä')  # the usual threads"


@pytest.fixture(name="run")
def _run(run: Run) -> Run:
    return partial(run, "check", "--only", "SH501", "--only", "SH0")


def project(root: Path, body: str) -> Path:
    return written(root, {"system.py": SYSTEM.replace("{body}", body)}) / "system.py"


def test_work_in_the_usual_threads_keeps_its_context(run: Run, tmp_path: Path) -> None:
    file = project(tmp_path, BAD)
    assert run("--fix")[0] == 0
    assert file.read_text("utf-8") == SYSTEM.replace("{body}", GOOD)


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        ("await asyncio.get_event_loop().run_in_executor(None, draw)", "await asyncio.to_thread(draw)"),
        ("await loop.run_in_executor(pool, draw)", ""),  # other threads
        ("str(loop.run_in_executor(None, draw))", ""),  # a future is used
        ("await made().run_in_executor(None, draw)", ""),  # what else it does nobody knows
        ("await loop.run_in_executor(\n        None,  # why\n        draw)", ""),  # a remark would be lost
        ("await loop.run_in_executor(None)", ""),
    ],
)
def test_only_what_stays_the_same_is_mended(run: Run, tmp_path: Path, body: str, mended: str) -> None:
    text = SYSTEM.replace("{body}", body)
    file = written(tmp_path, {"system.py": text}) / "system.py"
    code, _, _ = run("--fix")
    assert (code, file.read_text("utf-8")) == (0 if mended else 1, text.replace(body, mended or body))


def test_without_the_module_s_own_name_nothing_is_mended(run: Run, tmp_path: Path) -> None:
    text = SYSTEM.replace("{body}", "await loop.run_in_executor(None, draw)").replace("asyncio", "aio")
    file = written(tmp_path, {"system.py": text.replace("import aio", "import asyncio as aio")}) / "system.py"
    before = file.read_bytes()
    assert run("--fix")[0] == 1
    assert file.read_bytes() == before


def test_a_diff_shows_it_writes_nothing_and_can_be_applied(run: Run, tmp_path: Path) -> None:
    file = project(tmp_path, BAD)
    before = file.read_bytes()
    code, out, err = run("--fix", "--diff")
    assert (code, file.read_bytes()) == (1, before)
    assert f"-    return {BAD}\n+    return {GOOD}\n" in out
    assert "1 finding would be mended" in err
    subprocess.run(["git", "-C", str(tmp_path), "apply", "-"], input=out, text=True, check=True)  # noqa: S603, S607
    assert run("--fix", "--diff")[:2] == (0, "")


def test_a_diff_of_a_last_line_without_an_end_can_be_applied(run: Run, tmp_path: Path) -> None:
    file = project(tmp_path, GOOD)
    file.write_bytes(file.read_bytes().rstrip(b"\n") + b"  # shoal: ignore[SH501] of old")
    out = run("--fix", "--diff")[1]
    subprocess.run(["git", "-C", str(tmp_path), "apply", "-"], input=out, text=True, check=True)  # noqa: S603, S607
    assert file.read_text("utf-8").endswith("services=[charts])")


def test_a_diff_alone_is_a_mistake(run: Run, tmp_path: Path) -> None:
    project(tmp_path, BAD)
    code, _, err = run("--diff")
    assert (code, "--fix --diff" in err) == (2, True)


def test_what_left_the_code_leaves_the_baseline_too(run: Run, tmp_path: Path) -> None:
    project(tmp_path, BAD)
    assert run("--baseline", "check.json", "--begin")[0] == 0
    project(tmp_path, GOOD)
    code, out, err = run("--baseline", "check.json", "--fix", "--diff")
    assert (code, '-    {"file":"system.py"' in out, "1 finding would be mended" in err) == (1, True, True)
    assert "1 fixable" in run("--baseline", "check.json")[2]
    assert run("--baseline", "check.json", "--fix")[0] == 0
    assert "system.py" not in (tmp_path / "check.json").read_text("utf-8")


def test_what_is_still_there_stays_in_the_baseline(run: Run, tmp_path: Path) -> None:
    project(tmp_path, "await loop.run_in_executor(pool, draw)")
    assert run("--baseline", "check.json", "--begin")[0] == 0
    before = (tmp_path / "check.json").read_bytes()
    assert run("--baseline", "check.json", "--fix")[0] == 0
    assert (tmp_path / "check.json").read_bytes() == before
