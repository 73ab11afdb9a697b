"""Advice as text: rows of tables, lines, Markdown. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from shoal.check.fit.advice import Advice, Criterion, Effect

HEADERS = ("ABOUT", "CRITERION", "MET", "SPEAKS FOR", "FOUND", "MET WHEN")
_MET = {True: "yes", False: "no", None: "?"}


def rows(advice: Advice, *, every: bool = False) -> list[tuple[str, ...]]:
    """List criteria, those of pairs and parts only where something is advised or not known.

    Args:
        advice: What was found.
        every: Whether those that are to stay as they are are listed, too.
    """
    return [(about, *_cells(one)) for about, criteria in _abouts(advice, every=every) for one in criteria]


def verdicts(advice: Advice, *, every: bool = False) -> Iterator[str]:
    """Say what is advised, and beneath each line, indented, what it does."""
    for title, effect in _titled(advice, every=every):
        yield title
        if effect is not None:
            yield from (f"  {name}: {what}" for name, what in msgspec.structs.asdict(effect).items())


def markdown(advice: Advice) -> str:
    """Print all of it, as a pull request or a record of decisions shows it."""
    lines = [f"# Fit of {advice.system}", ""]
    for title, effect in _titled(advice, every=True):
        lines += [f"- **{title}**"]
        lines += [f"  - {name}: {what}" for name, what in msgspec.structs.asdict(effect).items()] if effect else []
    lines += ["", f"| {' | '.join(word.capitalize() for word in HEADERS)} |", "|" + "---|" * len(HEADERS)]
    lines += [f"| {' | '.join(map(_escaped, row))} |" for row in rows(advice, every=True)]
    return "\n".join([*lines, "", *(f"- {line}" for line in advice.told)]) + "\n"


def _titled(advice: Advice, *, every: bool) -> Iterator[tuple[str, Effect | None]]:
    yield f"{advice.system}: {advice.whole.says}", advice.whole.effect
    for merge in advice.merges:
        if every or merge.verdict == "merge":
            yield f"{_MERGES[merge.verdict]} {merge.caller} and {merge.callee} ({merge.where})", merge.effect
    for split in advice.splits:
        if every or split.verdict == "split":
            yield f"{_SPLITS[split.verdict]} {split.service}: {' | '.join(split.parts)}", split.effect
    if not every:
        yield from ((line, None) for line in _rest(advice))


_MERGES = {"merge": "merge", "apart": "leave apart", "unknown": "too little is known to merge"}
_SPLITS = {"split": "split", "whole": "leave whole", "unknown": "too little is known to split"}


def _abouts(advice: Advice, *, every: bool) -> Iterator[tuple[str, Sequence[Criterion]]]:
    yield advice.system, advice.whole.criteria
    for merge in advice.merges:
        if every or merge.verdict == "merge":
            yield f"{merge.caller} + {merge.callee}", merge.criteria
    for split in advice.splits:
        if every or split.verdict == "split":
            yield f"{split.service} / {len(split.parts)}", split.criteria


def _rest(advice: Advice) -> Iterator[str]:
    """Count what is not told line by line."""
    pairs = [merge.verdict for merge in advice.merges if merge.verdict != "merge"]
    parts = [split.verdict for split in advice.splits if split.verdict != "split"]
    if pairs:
        yield f"pairs that call: {pairs.count('apart')} to leave apart, {pairs.count('unknown')} too little known"
    if parts:
        yield f"services in parts: {parts.count('whole')} to leave whole, {parts.count('unknown')} too little known"


def _cells(one: Criterion) -> tuple[str, ...]:
    return one.name, _MET[one.met], one.side, _found(one), one.asks


def _found(one: Criterion) -> str:
    need = f"needs {one.need}" if one.met is None and one.need else ""
    return "; ".join(filter(None, (one.found or "unknown", need)))


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
