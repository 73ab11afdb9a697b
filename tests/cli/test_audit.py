"""``shoal audit`` from the command line: what it prints, and its exit codes."""

import json

import pytest
from click.testing import CliRunner

from shoal.audit import Outcome, Report
from shoal.cli.commands import audit
from shoal.cli.program import shoal
from shoal.testing import LiveSystem

HELD = Outcome(code="I7", title="every event is announced", state="held", counts={"events": 3, "waiting": 0})
BROKEN = Outcome(
    code="I12", title="the broker holds everything", state="violated", violated=22, violations=("e1 is lost",)
)
UNKNOWN = Outcome(code="I9", title="commands happen once", state="unchecked", note="no client kept a record")


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """Report these outcomes, whatever the system is."""
    outcomes = [HELD, UNKNOWN]

    async def _audit(context: object, given: object) -> Report:
        return Report(system="demo", outcomes=tuple(outcomes), seconds=0.25)

    monkeypatch.setattr(audit, "_audit", _audit)
    monkeypatch.setenv("NO_COLOR", "1")
    return outcomes


def test_what_holds_is_counted_and_what_was_not_checked_is_said(reported: list[Outcome]) -> None:
    result = CliRunner().invoke(shoal, ["audit"], standalone_mode=False)
    assert result.return_value == 0
    assert "I7  every event is announced  held       3 events, 0 waiting" in result.output
    assert "I9: not checked: no client kept a record" in result.output
    assert "demo: nothing is violated (0.2 s)" in result.output


def test_violations_are_named_up_to_a_limit_and_exit_with_1(reported: list[Outcome]) -> None:
    reported.append(BROKEN)
    result = CliRunner().invoke(shoal, ["audit"], standalone_mode=False)
    assert result.return_value == 1
    assert "I12: e1 is lost\nI12: and 21 more" in result.output
    assert "demo: 1 of 3 promises are violated" in result.output


def test_json_holds_everything(reported: list[Outcome]) -> None:
    reported.append(BROKEN)
    result = CliRunner().invoke(shoal, ["audit", "--json"], standalone_mode=False)
    assert result.return_value == 1
    assert [o["state"] for o in json.loads(result.stdout)["outcomes"]] == ["held", "unchecked", "violated"]


@pytest.mark.live
def test_a_running_system_is_audited(live: LiveSystem) -> None:
    result = live.run("audit", "--wait", "30", "--json")
    report = json.loads(result.stdout)
    assert report["system"] == "shop"
    assert {o["code"] for o in report["outcomes"]} >= {f"I{n}" for n in range(1, 13)}
    assert result.returncode == (1 if any(o["state"] == "violated" for o in report["outcomes"]) else 0)
