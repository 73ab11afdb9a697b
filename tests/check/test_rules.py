"""What holds for every rule: its code, its page, and that the page does what it says."""

import os
from pathlib import Path

import msgspec
import pytest

from shoal.check import page, references
from shoal.check.rule import FAMILIES, AnyRule
from shoal.check.rules import rule_failed
from shoal.check.table import NAMES, RULES
from tests.check.projects import found, report_of

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = Path(rule_failed.__file__).parent
every_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])
shown_rules = [rule for rule in RULES if rule is not rule_failed.RULE]  # whose page shows a rule of a package


def test_codes_names_and_summaries_are_unique() -> None:
    for facts in ([r.code for r in RULES], [r.name for r in RULES], [r.summary for r in RULES], list(NAMES)):
        assert len(set(facts)) == len(facts)


def test_every_file_is_in_the_table() -> None:
    assert {file.stem for file in FOLDER.glob("*.py")} - {"__init__"} == set(NAMES)


@every_rule
def test_a_rule_is_called_after_its_family_and_its_file(rule: AnyRule) -> None:
    assert rule.code[:3] in FAMILIES
    assert rule.name.replace("-", "_") in NAMES
    assert rule.summary[0].islower()
    assert not rule.summary.endswith(".")


@every_rule
def test_a_page_is_complete(rule: AnyRule) -> None:
    read = page.read(rule)
    assert [s for s in read.sections if s in page.SECTIONS] == list(page.SECTIONS)
    assert read.title.endswith(".")
    for field in msgspec.structs.fields(rule.options):
        assert f"`{field.encode_name}`" in read.sections["Options"], f"{field.name} is not explained"
        assert not field.required


@pytest.mark.parametrize("rule", shown_rules, ids=[rule.code for rule in shown_rules])
def test_what_is_shown_as_bad_is_found_at_the_marked_lines(rule: AnyRule, tmp_path: Path) -> None:
    bad = page.read(rule).example("Bad")
    assert bad.marked
    here = [place for code, place in found(report_of(tmp_path, bad.files)) if code == rule.code]
    assert here == [f"{file}:{line}" for file, line in sorted(bad.marked)]


@pytest.mark.parametrize("rule", shown_rules, ids=[rule.code for rule in shown_rules])
def test_what_is_shown_as_good_is_not_found(rule: AnyRule, tmp_path: Path) -> None:
    good = page.read(rule).example("Good")
    report = report_of(tmp_path, good.files)
    assert [place for code, place in found(report) if code in (rule.code, "SH001", "SH002")] == []
    assert rule.code in report.asked


def test_every_row_of_the_reference_is_answered_or_said_to_be_open() -> None:
    for part, rows in references.PARTS.items():
        assert sum(row.part == part for row in references.ROWS) == rows
    for row in references.ROWS:
        assert references.codes(row, RULES) or row.elsewhere or row.open, f"nobody looks at {row.name}"
        assert not (references.codes(row, RULES) and row.open.startswith("rules of")), f"what is open of {row.name}?"


@every_rule
def test_a_rule_answers_rows_that_there_are(rule: AnyRule) -> None:
    assert set(rule.answers) <= {row.name for row in references.ROWS}


def pages() -> dict[str, str]:
    """Write every page of the documentation that follows from the rules."""
    return {
        "rules/README.md": page.index(RULES),
        "rules/references.md": references.markdown(RULES),
        **{f"rules/{rule.code}.md": page.markdown(rule) for rule in RULES},
    }


def test_the_documentation_has_every_page_and_no_other() -> None:
    wanted = pages()
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        for path, text in wanted.items():
            (DOCS / path).write_text(text, "utf-8")
    there = {file.relative_to(DOCS).as_posix() for file in (DOCS / "rules").glob("*.md")}
    assert there == set(wanted), "SHOAL_UPDATE_GOLDEN=1 writes what is missing; remove what no rule has"
    for path, text in wanted.items():
        assert (DOCS / path).read_text("utf-8") == text, f"docs/{path}: SHOAL_UPDATE_GOLDEN=1"
