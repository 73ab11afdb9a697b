"""A report in the form of JUnit's XML, which every server of pipelines shows as tests."""

import re
from xml.sax.saxutils import escape, quoteattr

from shoal.check.finding import Reported
from shoal.check.formats.page import Shown
from shoal.check.report import Unasked

_UNPRINTABLE = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (section 2.2)."""


def spell(shown: Shown) -> str:
    """Spell a report: a case for each finding, which failed, and one for each rule that found nothing."""
    report = shown.report
    found = {finding.code for finding in report.findings}
    names = {rule.code: rule.name for rule in shown.rules}
    passed = [(code, names.get(code, code)) for code in report.asked if code not in found]
    cases = [_failed(finding) for finding in report.findings]
    cases += [f"    <testcase classname={_quoted(code)} name={_quoted(name)}/>" for code, name in passed]
    cases += [_skipped(rule) for rule in report.unasked]
    counted = f'tests="{len(cases)}" failures="{len(report.findings)}" skipped="{len(report.unasked)}" errors="0"'
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {counted}>\n'
    suite = f"  <testsuite name={_quoted(f'shoal check {report.system}')} {counted}>\n"
    return head + suite + "".join(f"{case}\n" for case in cases) + "  </testsuite>\n</testsuites>"


def _failed(finding: Reported) -> str:
    place = finding.where
    told = [str(place), finding.message, finding.impact, *(f"{n.where}: {n.text}" for n in finding.notes), finding.help]
    text = escape(_printable("\n".join(line for line in told if line)))
    name = _quoted(f"{finding.name or finding.code} at {place}")
    line = f' line="{place.line}"' if place.line else ""
    return (
        f"    <testcase classname={_quoted(finding.code)} name={name} file={_quoted(place.file)}{line}>"
        f"<failure type={_quoted(finding.severity)} message={_quoted(finding.message)}>{text}</failure></testcase>"
    )


def _skipped(rule: Unasked) -> str:
    needs = _quoted("needs " + ", ".join(rule.needs))
    return (
        f"    <testcase classname={_quoted(rule.code)} name={_quoted(rule.name)}><skipped message={needs}/></testcase>"
    )


def _quoted(text: str) -> str:
    return quoteattr(_printable(text))


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
