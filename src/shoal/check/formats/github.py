"""Workflow commands of GitHub Actions: each finding is an annotation of the lines of a change.

Their form is that of GitHub's documentation, "Workflow commands for GitHub Actions", with the escapes of its toolkit.
"""

from shoal.check.finding import Reported
from shoal.check.formats.page import Shown
from shoal.model.finding import Severity

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def spell(shown: Shown) -> str:
    """Spell a report, an annotation a line."""
    return "\n".join(_annotation(finding, shown.before) for finding in shown.report.findings)


def _annotation(finding: Reported, before: str) -> str:
    place = finding.where
    said = {"file": f"{before}{place.file}", "line": place.line, "endLine": place.end_line, "col": place.column}
    said |= {"endColumn": max(0, place.end_column - 1) if place.end_line == place.line else 0}
    said |= {"title": f"{finding.code} {finding.name}".strip()}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in said.items() if value)
    told = [finding.message, f"impact: {finding.impact}" if finding.impact else "", finding.help]
    message = "\n".join(text for text in told if text)
    return f"::{_COMMANDS[finding.severity]} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
