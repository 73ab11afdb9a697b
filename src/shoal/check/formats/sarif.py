"""A report in SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a change."""

from typing import Any
from urllib.parse import quote

import msgspec

from shoal.check import page
from shoal.check.finding import Edit, Place, Reported
from shoal.check.formats.page import Shown
from shoal.check.rule import AnyRule
from shoal.model.finding import Severity

VERSION = "2.1.0"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}

Object = dict[str, Any]


def spell(shown: Shown) -> str:
    """Spell a report as one log with one run; what is let pass is in it, as suppressed."""
    report = shown.report
    results = [_result(f, shown.before) for f in report.findings]
    results += [_result(f, shown.before, {"kind": "inSource", "justification": f.reason}) for f in report.ignored]
    results += [_result(f, shown.before, {"kind": "external", "justification": "baseline"}) for f in report.baselined]
    driver = {"name": "shoal", "version": shown.version or "0", "rules": _rules(shown)}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"REPOSITORY": {"description": {"text": "The top of the repository."}}},
        "results": results,
    }
    log = {"$schema": SCHEMA, "version": VERSION, "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2).decode()


def _rules(shown: Shown) -> list[Object]:
    told = {f.code for f in (*shown.report.findings, *shown.report.ignored, *shown.report.baselined)}
    rules = [_rule(rule) for rule in shown.rules if rule.code in told | set(shown.report.asked)]
    known = {rule["id"] for rule in rules}
    return rules + [{"id": code} for code in sorted(told - known)]


def _rule(rule: AnyRule) -> Object:
    sections = page.read(rule).sections
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": " ".join(sections.get("Why", rule.summary).split())},
        "help": {"text": f"shoal explain {rule.code}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": [rule.family]},
    }


def _result(finding: Reported, before: str, suppression: Object | None = None) -> Object:
    told = [finding.message, finding.impact, finding.help]
    found: Object = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": ". ".join(text for text in told if text)},
        "locations": [{"physicalLocation": _location(finding.where, before)}],
        "partialFingerprints": {"shoalFinding/v1": f"{finding.code}:{finding.where.file}:{finding.message}"},
    }
    if finding.notes:
        found["relatedLocations"] = [
            {"id": number, "physicalLocation": _location(note.where, before), "message": {"text": note.text}}
            for number, note in enumerate(finding.notes, 1)
        ]
    if finding.edits:
        found["fixes"] = [_fix(finding, before)]
    if suppression is not None:
        found["suppressions"] = [suppression]
    return found


def _location(place: Place, before: str) -> Object:
    found: Object = {"artifactLocation": _file(place.file, before)}
    if place.line:
        found["region"] = _region(place)
    return found


def _file(path: str, before: str) -> Object:
    return {"uri": quote(f"{before}{path}"), "uriBaseId": "REPOSITORY"}


def _region(place: Place) -> Object:
    said = {"startLine": place.line, "startColumn": place.column, "endLine": place.end_line}
    said["endColumn"] = place.end_column if place.end_line else 0
    return {key: value for key, value in said.items() if value}


def _fix(finding: Reported, before: str) -> Object:
    by_file: dict[str, list[Edit]] = {}
    for edit in finding.edits:
        by_file.setdefault(edit.where.file, []).append(edit)
    changes = [
        {
            "artifactLocation": _file(file, before),
            "replacements": [
                {"deletedRegion": _region(e.where), "insertedContent": {"text": e.replacement}} for e in edits
            ],
        }
        for file, edits in by_file.items()
    ]
    return {"description": {"text": finding.help or finding.message}, "artifactChanges": changes}
