"""Comments that let findings pass: which line they speak of, that they say why, and that they are needed."""

from pathlib import Path

import pytest

from tests.check.projects import found, report_of

SYSTEM = """
import urllib.request

from shoal import Objective, Service, System, anyone

rates = Service("rates", objectives=[Objective(availability=0.99)])

@rates.get("/rates", access=anyone)
async def today() -> str:
    '''What one unit is worth today.'''
{lines}


system = System("bank", services=[rates])
"""
CALL = '    return str(urllib.request.urlopen("http://127.0.0.1:9"))'
WHY = "# shoal: ignore[SH301] it is on this machine"


def report(root: Path, *lines: str) -> list[tuple[str, str]]:
    return found(report_of(root, {"system.py": SYSTEM.format(lines="\n".join(lines))}, "SH0", "SH1", "SH3"))


def test_nothing_is_let_pass_by_itself(tmp_path: Path) -> None:
    assert report(tmp_path, CALL) == [("SH301", "system.py:11")]


@pytest.mark.parametrize(
    "lines",
    [
        (f"{CALL}  {WHY}",),
        (f"    {WHY}", CALL),
        (f"    {WHY}", "", "    # and more is said", CALL),
        (f"{CALL}  # shoal: ignore[SH101, SH301]: both are wanted",),
        (f"{CALL}  # noqa: S310",),
        (f"{CALL}  # type: ignore[x]  {WHY}",),
    ],
)
def test_a_comment_speaks_of_its_line_or_of_the_next(lines: tuple[str, ...], tmp_path: Path) -> None:
    passed = [code for code, _ in report(tmp_path, *lines)]
    assert passed == (["SH301"] if "noqa" in lines[0] else ["SH004"] if "SH101" in lines[0] else [])


def test_what_is_let_pass_is_kept_with_its_reason(tmp_path: Path) -> None:
    made = report_of(tmp_path, {"system.py": SYSTEM.format(lines=f"{CALL}  {WHY}")})
    assert [(f.code, f.reason) for f in made.ignored] == [("SH301", "it is on this machine")]


@pytest.mark.parametrize("comment", ["# shoal: ignore[SH301]", "# shoal: ignore", "# shoal: ignore[] for ever"])
def test_without_codes_and_a_reason_nothing_is_let_pass(comment: str, tmp_path: Path) -> None:
    codes = [code for code, _ in report(tmp_path, f"{CALL}  {comment}")]
    assert codes == ["SH301", "SH003"]


def test_a_comment_within_a_text_is_none(tmp_path: Path) -> None:
    assert report(tmp_path, f'    return "{WHY}"') == []


def test_a_comment_that_is_too_far_away_is_idle(tmp_path: Path) -> None:
    lines = report(tmp_path, "    print(1)  # shoal: ignore[SH301] of the next line", CALL)
    assert lines == [("SH004", "system.py:11"), ("SH301", "system.py:12")]


def test_a_comment_about_a_rule_that_is_not_asked_is_not_idle(tmp_path: Path) -> None:
    text = SYSTEM.format(lines=f'    return ""  {WHY}')
    settings = '[tool.shoal.check]\ndisable = ["SH301"]\n'
    assert report_of(tmp_path, {"system.py": text, "pyproject.toml": settings}, "SH0", "SH3").findings == ()


def test_an_unknown_code_is_said(tmp_path: Path) -> None:
    comment = "# shoal: ignore[SH301, SH998] it is on this machine"
    assert report(tmp_path, f"{CALL}  {comment}") == [("SH005", "system.py:11")]


@pytest.mark.parametrize("code", ["sh301", "SH3", "call-without-timeout", "PLAN-SAGA-1"])
def test_what_is_no_code_is_said_whatever_it_looks_like(tmp_path: Path, code: str) -> None:
    made = report_of(
        tmp_path, {"system.py": SYSTEM.format(lines=f"{CALL}  # shoal: ignore[{code}] it is on this machine")}, "SH005"
    )
    (said,) = made.findings
    assert (code in said.message, "--all" in said.help) == (True, False)
    assert said.help == {"sh301": "did you mean SH301?", "PLAN-SAGA-1": "did you mean PLAN-SAGA-01?"}.get(
        code, "shoal explain lists them"
    )


def test_what_stands_before_a_comment_that_is_idle_stays(tmp_path: Path) -> None:
    text = SYSTEM.format(lines=f'    return ""  # noqa: S310  {WHY}')
    (idle,) = report_of(tmp_path, {"system.py": text}, "SH004", "SH301").findings
    line = text.split("\n")[idle.where.line - 1]
    (edit,) = idle.edits
    assert line[: edit.where.column - 1] + edit.replacement == '    return ""  # noqa: S310'
