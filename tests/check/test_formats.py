"""A report in each of its forms, read back by whoever reads such a form."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import msgspec
import pytest

from shoal.check.finding import Edit, Note, Place, Reported
from shoal.check.formats.page import Shown
from shoal.check.formats.table import FORMATS
from shoal.check.report import Report, Unasked
from shoal.check.table import RULES

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas/sarif-2.1.0.json").read_text("utf-8"))
TEXT = "from shoal import System\n\n\tx = wait()  # ä\n"
CHAIN = Reported(
    code="SH101",
    name="chain-too-long",
    severity="warning",
    where=Place("my shop/a.py", 3, 6, 3, 12),
    message="100 % of a, b: <too long>\nreally",
    help="publish an event",
    impact="99.7 %",
    notes=(Note(Place("b.py", 7, 1), "b calls c"),),
    edits=(Edit(Place("my shop/a.py", 3, 6, 3, 12), "work()"), Edit(Place("b.py", 7, 1, 7, 2), "")),
)
PLAN = Reported(code="PLAN-SAGA-01", name="", severity="error", where=Place("c.py"), message="nobody hears it")
REMARK = Reported(code="SH004", name="ignored-without-use", severity="info", where=Place("c.py", 2), message="idle")
REPORT = Report(
    system="shop",
    services=2,
    files=3,
    asked=("SH004", "SH101", "SH301"),
    unasked=(Unasked("SH250", "table-shared", ("observed",)),),
    findings=(PLAN, REMARK, CHAIN),
    ignored=(msgspec.structs.replace(CHAIN, reason="the partner's rule"),),
    baselined=(REMARK,),
)
SHOWN = Shown(report=REPORT, texts={"my shop/a.py": TEXT}, rules=RULES, version="1.2.3")
NOTHING = Shown(report=Report(system="shop", services=0, files=0, asked=()))


def spelled(form: str, shown: Shown = SHOWN) -> str:
    return FORMATS[form](shown)


def test_full_shows_the_line_what_it_costs_and_what_to_do() -> None:
    last = spelled("full").split("\n\n")[-1].splitlines()
    assert last == [
        "my shop/a.py:3:6 SH101 [warning] 100 % of a, b: <too long>",
        "really  [fixable]",
        "  |",
        "3 | \tx = wait()  # ä",
        "  | \t    ^^^^^^",
        "  = impact: 99.7 %",
        "  = note: b calls c at b.py:7:1",
        "  = help: publish an event; shoal explain SH101",
    ]


def test_full_shows_what_has_no_line_without_one() -> None:
    assert spelled("full").split("\n\n")[0].splitlines() == [
        "c.py PLAN-SAGA-01 [error] nobody hears it",
        " = help: shoal explain PLAN-SAGA-01",
    ]


def test_colours_are_put_around_words_and_not_into_them() -> None:
    shown = Shown(report=REPORT, texts=SHOWN.texts, rules=RULES, paint=lambda text, role: f"<{role}>{text}</{role}>")
    text = FORMATS["full"](shown)
    for role in ("error", "warning", "info", "dim", "place", "code"):
        text = text.replace(f"<{role}>", "").replace(f"</{role}>", "")
    assert text == spelled("full")


def test_concise_is_one_line_each() -> None:
    assert spelled("concise").splitlines()[:2] == [
        "c.py PLAN-SAGA-01 [error] nobody hears it",
        "c.py:2 SH004 [info] idle",
    ]


def test_json_is_the_report_itself() -> None:
    assert msgspec.json.decode(spelled("json"), type=Report) == REPORT


@pytest.mark.parametrize("shown", [SHOWN, NOTHING], ids=["findings", "nothing"])
def test_sarif_is_what_its_schema_asks_for(shown: Shown) -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(json.loads(spelled("sarif", shown)))


def test_sarif_is_not_what_its_schema_asks_for_when_it_is_broken() -> None:
    log = json.loads(spelled("sarif"))
    log["runs"][0]["results"][0]["level"] = "fatal"
    assert not jsonschema.Draft7Validator(SCHEMA).is_valid(log)


def test_sarif_names_the_rule_the_place_the_edits_and_what_is_let_pass() -> None:
    (run,) = json.loads(spelled("sarif"))["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= rules
    chain = run["results"][2]
    place = chain["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "my%20shop/a.py"
    assert place["region"] == {"startLine": 3, "startColumn": 6, "endLine": 3, "endColumn": 12}
    assert [c["artifactLocation"]["uri"] for c in chain["fixes"][0]["artifactChanges"]] == ["my%20shop/a.py", "b.py"]
    kinds = [(s["kind"], s["justification"]) for r in run["results"][3:] for s in r["suppressions"]]
    assert kinds == [("inSource", "the partner's rule"), ("external", "baseline")]


def test_github_escapes_what_would_end_a_command() -> None:
    last = spelled("github").splitlines()[-1]
    assert last == (
        "::warning file=my shop/a.py,line=3,endLine=3,col=6,endColumn=11,title=SH101 chain-too-long"
        "::100 %25 of a, b: <too long>%0Areally%0Aimpact: 99.7 %25%0Apublish an event"
    )
    assert [line.partition(" ")[0] for line in spelled("github").splitlines()] == ["::error", "::notice", "::warning"]


def test_junit_has_a_case_for_each_finding_and_each_rule() -> None:
    root = ET.fromstring(spelled("junit"))  # noqa: S314 - we wrote it a moment ago
    (suite,) = root
    counted = {key: int(suite.attrib[key]) for key in ("tests", "failures", "skipped")}
    assert counted == {"tests": len(suite), "failures": 3, "skipped": 1}
    assert [case.attrib["classname"] for case in suite if case.find("failure") is None] == ["SH301", "SH250"]
    failure = suite[2].find("failure")
    assert failure is not None
    assert "<too long>" in (failure.text or "")


def test_junit_holds_no_character_that_xml_cannot() -> None:
    odd = msgspec.structs.replace(PLAN, message="a\x00b\x1b[31mc\ud800d\ufffee")
    shown = Shown(report=msgspec.structs.replace(REPORT, findings=(odd,)), rules=RULES)
    (failure,) = ET.fromstring(spelled("junit", shown)).iter("failure")  # noqa: S314 - we wrote it a moment ago
    assert failure.attrib["message"] == "a\ufffdb\ufffd[31mc\ufffdd\ufffde"


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_can_be_told_in_every_form(form: str) -> None:
    assert isinstance(spelled(form, NOTHING), str)
