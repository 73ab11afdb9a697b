"""Each finding with the lines that it is about, what it costs and what to do, for people."""

from shoal.check.confidential import covered
from shoal.check.finding import MASK, Reported, masked
from shoal.check.formats.concise import line
from shoal.check.formats.page import Shown


def spell(shown: Shown) -> str:
    """Spell a report, a finding a paragraph."""
    return "\n\n".join(_finding(finding, shown) for finding in shown.report.findings)


def _finding(finding: Reported, shown: Shown) -> str:
    lines = [line(finding, shown.paint), *_frame(finding, shown)]
    gutter = " " * len(str(finding.where.line)) if _framed(finding, shown) else ""
    told = [("impact", finding.impact)]
    told += [("note", f"{note.text} at {note.where}") for note in finding.notes]
    told += [("help", f"{finding.help}{'; ' if finding.help else ''}shoal explain {finding.code}")]
    told += [("reason", finding.reason)]
    return "\n".join([*lines, *(f"{gutter} {shown.paint(f'= {word}:', 'dim')} {text}" for word, text in told if text)])


def _framed(finding: Reported, shown: Shown) -> bool:
    return bool(shown.line(finding.where.file, finding.where.line))


def _frame(finding: Reported, shown: Shown) -> list[str]:
    """Show the line, with what is meant of it underlined."""
    place = finding.where
    text = covered(shown.line(place.file, place.line))
    if not text:
        return []
    number, bar = str(place.line), shown.paint("|", "dim")
    gutter = " " * len(number)
    begin = place.column or len(text) - len(text.lstrip()) + 1
    end = place.end_column if place.end_line == place.line and place.end_column > begin else len(text) + 1
    if finding.hidden:
        text, end = masked(text, place), begin + len(MASK)
    under = _blank(text[: begin - 1]) + shown.paint("^" * max(1, min(end, len(text) + 1) - begin), finding.severity)
    return [f"{gutter} {bar}", f"{shown.paint(number, 'dim')} {bar} {text}", f"{gutter} {bar} {under}"]


def _blank(text: str) -> str:
    """Keep what moves the caret: tabs stay tabs."""
    return "".join("\t" if character == "\t" else " " for character in text)
