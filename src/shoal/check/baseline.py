"""Findings that are let pass for now: a file of them that can only shrink.

An entry is a code, a file and the text of the line, so that it stays valid where lines move, and ends where the line is
changed.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from shoal.check.confidential import covered
from shoal.check.finding import Place, Reported, masked
from shoal.errors import DeclarationError

FORMAT = 1

Key = tuple[str, str, str]
"""A file, a code, and the text of a line."""


class Entry(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """Findings of one rule at lines that read alike."""

    file: str
    code: str
    line: str
    """Text of the line, without the space around it, and without what is a secret."""
    count: int = 1


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    format: int = FORMAT
    findings: tuple[Entry, ...] = ()


def read(path: str, text: str) -> Baseline:
    """Read the file, or raise `DeclarationError` where it is none."""
    try:
        found = msgspec.json.decode(text, type=Baseline)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DeclarationError(
            f"this is no baseline: {error}", where=path, hint="write it with: shoal check --baseline FILE --shrink"
        ) from error
    if found.format != FORMAT:
        raise DeclarationError(f"this baseline is of format {found.format}", where=path, hint="use a newer shoal")
    return found


def spell(baseline: Baseline) -> str:
    """Write the file, an entry a line."""
    lines = ",\n".join(f"    {msgspec.json.encode(entry).decode()}" for entry in baseline.findings)
    return f'{{\n  "format": {FORMAT},\n  "findings": [\n{lines}\n  ]\n}}\n' if lines else _EMPTY


_EMPTY = f'{{\n  "format": {FORMAT},\n  "findings": []\n}}\n'


def made(findings: Iterable[Reported], texts: Mapping[str, str]) -> Baseline:
    """Make a baseline of all findings."""
    counted = Counter(key for _, key in _keyed(tuple(findings), texts))
    return Baseline(findings=tuple(sorted(Entry(*key, count) for key, count in counted.items())))


def divided(
    findings: Sequence[Reported], baseline: Baseline, texts: Mapping[str, str]
) -> tuple[list[Reported], list[Reported], Baseline]:
    """Divide findings into new ones and those that the baseline has; return also what is left of the baseline."""
    left = Counter({(entry.file, entry.code, entry.line): entry.count for entry in baseline.findings})
    new: list[Reported] = []
    known: list[Reported] = []
    for finding, key in _keyed(findings, texts):
        if left[key] > 0:
            left[key] -= 1
            known.append(finding)
        else:
            new.append(finding)
    return new, known, made(known, texts)


def shrunk(before: Baseline, known: Iterable[Reported], texts: Mapping[str, str], asked: Collection[str]) -> Baseline:
    """Return what is left of a baseline: what is still found, and what nobody looked at now.

    Args:
        before: What it was.
        known: The findings that it lets pass.
        texts: Path → text.
        asked: Codes of which something could have been found.
    """
    unseen = (entry for entry in before.findings if entry.code not in asked)
    return Baseline(findings=tuple(sorted([*made(known, texts).findings, *unseen])))


def gone(before: Baseline, after: Baseline, path: str) -> list[tuple[Place, Entry]]:
    """List the entries that are no longer found, with their places in the file."""
    left = {(entry.file, entry.code, entry.line): entry.count for entry in after.findings}
    lines = spell(before).split("\n")
    found = []
    for entry in before.findings:
        if left.get((entry.file, entry.code, entry.line), 0) < entry.count:
            spelled = f"    {msgspec.json.encode(entry).decode()}"
            number = next((n for n, line in enumerate(lines, 1) if line.rstrip(",") == spelled), 0)
            found.append((Place(path, number), entry))
    return found


def _keyed(findings: Sequence[Reported], texts: Mapping[str, str]) -> Iterator[tuple[Reported, Key]]:
    """Go through findings, each with the file, the code and the line by which it is known again."""
    files = {finding.where.file for finding in findings}
    lines = {file: texts[file].split("\n") for file in files & texts.keys()}
    for finding in findings:
        place = finding.where
        own = lines.get(place.file, ())
        line = own[place.line - 1] if 0 < place.line <= len(own) else ""
        shown = masked(line, place) if finding.hidden else covered(line)
        yield finding, (place.file, finding.code, shown.strip())
