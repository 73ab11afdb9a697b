"""One line a finding, as editors and ``grep`` like it."""

from shoal.check.finding import Reported
from shoal.check.formats.page import Paint, Shown


def spell(shown: Shown) -> str:
    """Spell a report, a finding a line; of a message of several lines the first."""
    return "\n".join(line(finding, shown.paint, whole=False) for finding in shown.report.findings)


def line(finding: Reported, paint: Paint, *, whole: bool = True) -> str:
    """Spell one finding: place, code, severity, message."""
    message = finding.message if whole else finding.message.partition("\n")[0]
    severity = paint(f"[{finding.severity}]", finding.severity)
    mark = paint("  [fixable]", "dim") if finding.edits else ""
    return f"{paint(str(finding.where), 'place')} {paint(finding.code, 'code')} {severity} {message}{mark}"
