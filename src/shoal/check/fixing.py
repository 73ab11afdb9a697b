"""Texts with the edits of findings made: never two that overlap, never a file that no longer parses."""

import ast
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shoal.check.finding import Edit, Place, Reported


class Fixed(NamedTuple):
    """What came of it."""

    texts: dict[str, str]
    """Path → what the file is to read; only those that change."""
    mended: tuple[Reported, ...]
    """The findings whose edits were made."""
    left: tuple[Reported, ...]
    """Those whose edits overlap with others, or would break their file; the next round may mend them."""


def fixed(findings: Iterable[Reported], texts: Mapping[str, str]) -> Fixed:
    """Make the edits of as many findings as go together, in the order of their places.

    Args:
        findings: Those without edits are passed over.
        texts: Path → text, of every file that may be edited.
    """
    now: dict[str, str] = {}
    taken: dict[str, list[tuple[int, int, str]]] = {}
    mended: list[Reported] = []
    left: list[Reported] = []
    for finding in (f for f in findings if f.edits):
        spans = _spans(finding.edits, texts)
        trial = None if spans is None else _with(taken, spans)
        made = None if trial is None else _made(trial, texts, {file for file, *_ in spans or ()})
        if trial is None or made is None:
            left.append(finding)
            continue
        taken = trial
        now |= made
        mended.append(finding)
    return Fixed({path: text for path, text in now.items() if text != texts[path]}, tuple(mended), tuple(left))


def _spans(edits: Iterable[Edit], texts: Mapping[str, str]) -> list[tuple[str, int, int, str]] | None:
    """Turn places into offsets; None where one lies outside of its file."""
    found = []
    for edit in edits:
        text = texts.get(edit.where.file)
        span = None if text is None else _span(text, edit.where)
        if span is None:
            return None
        found.append((edit.where.file, *span, edit.replacement))
    return found


def _span(text: str, place: Place) -> tuple[int, int] | None:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    if not (0 < place.line <= place.end_line < len(starts) + 1) or place.column < 1 or place.end_column < 1:
        return None
    begin = starts[place.line - 1] + place.column - 1
    end = starts[min(place.end_line, len(starts)) - 1] + place.end_column - 1
    return (begin, end) if begin <= end <= len(text) else None


def _with(
    taken: Mapping[str, list[tuple[int, int, str]]], spans: Iterable[tuple[str, int, int, str]]
) -> dict[str, list[tuple[int, int, str]]] | None:
    """Add spans to those that are taken; None where two overlap. The same edit twice is one."""
    found = {path: list(own) for path, own in taken.items()}
    for path, begin, end, replacement in spans:
        own = found.setdefault(path, [])
        if (begin, end, replacement) in own:
            continue
        if any((begin < other_end and other < end) or begin == other for other, other_end, _ in own):
            return None
        own.append((begin, end, replacement))
    return found


def _made(
    taken: Mapping[str, list[tuple[int, int, str]]], texts: Mapping[str, str], files: set[str]
) -> dict[str, str] | None:
    """Make the edits of some files; None where one no longer parses that did."""
    found = {}
    for path in files:
        text = texts[path]
        for begin, end, replacement in sorted(taken[path], reverse=True):
            text = text[:begin] + replacement + text[end:]
        if path.endswith(".py") and _parses(texts[path]) and not _parses(text):
            return None
        found[path] = text
    return found


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
