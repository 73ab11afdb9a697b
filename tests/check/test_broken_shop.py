"""The shop, broken by hand in many ways: each is found where it was done, and its remedy works as it is said."""

import io
import json
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shoal.check.table import RULES
from shoal.cli.program import main
from tests.check.breaks import BREAKS
from tests.check.breaks.kinds import Break, Edit, Found
from tests.check.projects import importing

ROOT = Path(__file__).parents[2]
Finding = dict[str, Any]


class Walk(NamedTuple):
    """What came of all breaks together, and of all remedies."""

    found: list[Finding]
    texts: dict[str, str]
    """File → what was in it when that was found."""
    left: list[Finding]


@contextmanager
def _another_shop(root: Path) -> Iterator[None]:
    """Import the shop of another folder, and afterwards have that of before."""
    own = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "shop"}
    for name in own:
        del sys.modules[name]
    try:
        with importing(root):
            yield
    finally:
        sys.modules.update(own)


def _copied(root: Path) -> Path:
    """Copy the shop as somebody has it who begins with it."""
    for folder in ("shop", "contracts"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", ".shoal"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def _edit(root: Path, edits: Iterable[Edit]) -> None:
    """Edit files; what is to be replaced stands in them once."""
    for file, before, after in edits:
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text("utf-8") if before else ""
        assert text.count(before) == 1, f"{file} has {before!r} {text.count(before)} times"
        path.write_text(text.replace(before, after), "utf-8")


def _check(root: Path) -> list[Finding]:
    """Check a folder as somebody at a terminal does."""
    with _another_shop(root), redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit):
        main(["-q", "-C", str(root), "check", "-f", "json"])
    return list(json.loads(out.getvalue())["findings"])


def _line(text: str, expected: Found) -> int:
    """Say in which line of a file a finding is to be: the only one with its text."""
    (number,) = [number for number, line in enumerate(text.splitlines(), 1) if expected.line in line]
    return number


def _matches(finding: Finding, expected: Found, line: int) -> bool:
    where = finding["where"]
    return (
        (finding["code"], where["file"], where["line"]) == (expected.code, expected.file, line)
        and finding["message"].startswith(expected.message)
        and expected.help in finding["help"]
    )


@pytest.fixture(name="walk", scope="module")
def _walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    root = _copied(tmp_path_factory.mktemp("shop"))
    for each in BREAKS:
        _edit(root, each.edits)
    found = _check(root)
    texts = {expected.file: (root / expected.file).read_text("utf-8") for each in BREAKS for expected in each.found}
    for each in BREAKS:
        _edit(root, each.remedy)
    return Walk(found, texts, _check(root))


@pytest.mark.parametrize("each", BREAKS, ids=lambda each: each.name)
def test_it_is_found_where_it_was_done(walk: Walk, each: Break) -> None:
    for expected in each.found:
        line = _line(walk.texts[expected.file], expected)
        said = [(f["where"], f["message"], f["help"]) for f in walk.found if f["code"] == expected.code]
        assert any(_matches(finding, expected, line) for finding in walk.found), (expected, line, said)


def test_nothing_else_is_found(walk: Walk) -> None:
    every = [(expected, _line(walk.texts[expected.file], expected)) for each in BREAKS for expected in each.found]
    assert [f for f in walk.found if not any(_matches(f, expected, line) for expected, line in every)] == []


def test_the_remedies_leave_nothing_to_find(walk: Walk) -> None:
    assert [(f["code"], f["where"], f["message"]) for f in walk.left] == []


def test_every_family_is_broken() -> None:
    families = {rule.code[:3] for rule in RULES} - {"SH0"}
    assert {expected.code[:3] for each in BREAKS for expected in each.found} == families


def test_a_step_whose_compensation_is_gone_is_found_before_anything_else(tmp_path: Path) -> None:
    root, file = _copied(tmp_path), "shop/orders/returns.py"
    _edit(root, [Edit(file, "@step(compensate=refuse)", "@step()")])
    (finding,) = _check(root)
    expected = Found("SH002", file, "@step()", "step open has no compensation", "give it one: @step(compensate=...)")
    assert _matches(finding, expected, _line((root / file).read_text("utf-8"), expected)), finding
    _edit(root, [Edit(file, "@step()", "@step(compensate=refuse)")])
    assert _check(root) == []
