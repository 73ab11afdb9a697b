"""What a platform cannot express is said in as many lines as people read."""

import pytest

from shoal.cli.deploying.findings import told
from shoal.model.finding import Finding, Severity


def finding(severity: Severity, code: str, number: int) -> Finding:
    return Finding(code=code, severity=severity, message=f"{code} {number}", where=f"a.py:{number}", help="do it")


FOUND = [
    *(finding("warning", "W-1", number) for number in range(5)),
    finding("warning", "W-2", 1),
    *(finding("info", "I-1", number) for number in range(4)),
]


def said(verbosity: int, capsys: pytest.CaptureFixture[str]) -> list[str]:
    told(FOUND, verbosity)
    return capsys.readouterr().err.splitlines()


def test_of_many_alike_the_first_are_said_and_remarks_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(0, capsys) == [
        "warning  W-1 W-1 0 (a.py:0); do it",
        "         + W-1 1 (a.py:1)",
        "         + W-1 2 (a.py:2)",
        "         + 2 more like it",
        "warning  W-2 W-2 1 (a.py:1); do it",
        "info     4 remarks; `shoal -v deploy ...` says all, `shoal explain CODE` what one means",
    ]


def test_who_asks_for_more_gets_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(1, capsys)
    assert len(lines) == len(FOUND)
    assert lines[4] == "warning  W-1 W-1 4 (a.py:4); do it"
    assert lines[-1] == "info     I-1 I-1 3 (a.py:3); do it"


def test_who_asks_for_quiet_gets_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line[:7] for line in said(-1, capsys) if line[0] != " "] == ["warning", "warning"]
