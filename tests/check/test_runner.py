"""How rules are asked: what they need, what becomes of one that fails, how findings are ordered and counted."""

from collections.abc import Iterator
from typing import Any

import pytest

from shoal.check.finding import Edit, Finding, Place
from shoal.check.observed import Observed
from shoal.check.rule import Nothing, Rule
from shoal.check.runner import run
from shoal.check.settings import Settings
from shoal.check.subject import Subject
from shoal.check.table import RULES
from shoal.errors import DeclarationError
from shoal.model.system import System
from tests.check.sources import source

SYSTEM = System(name="small", services=())
WHERE = Place("a.py", 1, 1, 1, 2)


def finding(subject: Subject, _: Nothing) -> Iterator[Finding]:
    yield Finding(where=WHERE, message=f"wrong in {subject.system.name}", edits=(Edit(WHERE, "x"),))


def failing(subject: Subject, _: Nothing) -> Iterator[Finding]:
    yield from finding(subject, _)
    raise KeyError("orders")


def yielding_text(_: Subject, __: Nothing) -> Iterator[Finding]:
    yield "wrong"  # type: ignore[misc]  # the mistake that is tested


def rule(find: Any = finding, code: str = "ACME001", **facts: Any) -> Rule[Nothing]:
    facts = {"severity": "warning", "summary": "it is wrong", "page": "", **facts}
    return Rule(code=code, name="wrong", find=find, **facts)


def codes(*rules: Rule[Nothing], settings: Settings | None = None, **known: Any) -> list[str]:
    report = run(Subject(system=SYSTEM, **known), rules, settings or Settings())
    return [f.code for f in report.findings]


def test_a_rule_that_fails_is_named_and_the_others_are_asked() -> None:
    report = run(Subject(system=SYSTEM), [rule(failing), rule(code="ACME002")], Settings())
    assert [f.code for f in report.findings] == ["ACME001", "ACME002", "SH001"]
    failed = report.findings[-1]
    assert "ACME001 wrong has failed: KeyError: 'orders' (failing, line" in failed.message
    assert 'disable = ["ACME001"]' in failed.help
    assert report.fails("error")


def test_who_waits_hears_which_rule_is_asked_and_of_none_that_asks_nothing() -> None:
    heard: list[str] = []
    run(Subject(system=SYSTEM), [*RULES[:3], rule()], Settings(), progress=heard.append)
    assert heard == ["asking ACME001 wrong"]


def test_what_is_no_finding_is_a_failure() -> None:
    assert codes(rule(yielding_text)) == ["SH001"]


def test_a_rule_is_asked_when_what_it_needs_is_known() -> None:
    needing = rule(needs=frozenset({"observed", "source"}))
    report = run(Subject(system=SYSTEM, observed=Observed(run="run 1")), [needing], Settings())
    assert ([u.needs for u in report.unasked], report.asked, report.findings) == ([("source",)], (), ())
    assert codes(needing, observed=Observed(run="run 1"), source=source(a="x = 1")) == ["ACME001"]


def test_a_rule_that_waits_is_asked_when_it_is_named() -> None:
    waiting = rule(enabled=False)
    assert codes(waiting) == []
    assert codes(waiting, settings=Settings(enable=("ACME",))) == ["ACME001"]


def test_the_author_says_what_counts_for_what() -> None:
    def severe(_: Subject, __: Nothing) -> Iterator[Finding]:
        yield Finding(where=WHERE, message="bad", severity="error")

    def severity(settings: Settings) -> list[str]:
        return [f.severity for f in run(Subject(system=SYSTEM), [rule(severe)], settings).findings]

    assert severity(Settings()) == ["error"]
    assert severity(Settings(severity={"ACME001": "info"})) == ["info"]


def test_the_edits_of_a_rule_that_mends_nothing_are_not_offered() -> None:
    for fixable in (True, False):
        report = run(Subject(system=SYSTEM), [rule(fixable=fixable)], Settings())
        assert report.fixable == fixable


def test_findings_come_in_the_order_of_their_places_and_once() -> None:
    def many(_: Subject, __: Nothing) -> Iterator[Finding]:
        for file, line in (("b.py", 1), ("a.py", 10), ("a.py", 9), ("a.py", 10)):
            yield Finding(where=Place(file, line), message="wrong")

    report = run(Subject(system=SYSTEM), [rule(many)], Settings())
    assert [str(f.where) for f in report.findings] == ["a.py:9", "a.py:10", "b.py:1"]


@pytest.mark.parametrize(("code", "name"), [("acme1", "x"), ("ACME", "x"), ("ACME001", "Not This"), ("A1", "x")])
def test_a_code_or_name_that_nobody_could_write_is_refused(code: str, name: str) -> None:
    with pytest.raises(DeclarationError, match="cannot be called"):
        Rule(code=code, name=name, severity="info", summary="x", page="", find=finding)


@pytest.mark.parametrize(
    ("told", "said"),
    [({"needs": frozenset({"sources"})}, "needs sources"), ({"severity": "fatal"}, "severity 'fatal'")],
)
def test_a_need_or_a_severity_that_nobody_knows_is_refused(told: dict[str, Any], said: str) -> None:
    named: dict[str, Any] = {"code": "ACME001", "name": "x", "severity": "info", "summary": "x", "page": "", **told}
    with pytest.raises(DeclarationError, match=said) as refused:
        Rule(**named, find=finding)
    assert refused.value.hint.startswith("there are: ")


def test_a_place_that_is_none_is_a_failure() -> None:
    def somewhere(_: Subject, __: Nothing) -> Iterator[Finding]:
        yield Finding(where="system.py:3", message="wrong")  # type: ignore[arg-type]  # as somebody writes it

    (failed,) = run(Subject(system=SYSTEM), [rule(somewhere)], Settings()).findings
    assert (failed.code, "subject.place(...) makes a place of it" in failed.message) == ("SH001", True)


def test_all_rules_hold_their_peace_about_a_system_of_nothing() -> None:
    report = run(Subject(system=SYSTEM), RULES, Settings())
    assert report.findings == ()
    assert {u.code for u in report.unasked} | set(report.asked) == {r.code for r in RULES if r.enabled}
