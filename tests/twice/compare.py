"""Where what is rendered does otherwise than the laptop: each difference, and the finding that says so.

The files of `differences` are data: finding → what is otherwise → rows. A difference that no file has, or one that is
gone, is an error; ``SHOAL_UPDATE_GOLDEN=1`` writes them anew, and leaves what is new under `NEW` until somebody has
said which finding it is.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

FOLDER = Path(__file__).parent / "differences"
NEW = "which finding is this?"

Found = Mapping[str, Iterable[str]]
"""Row → what is otherwise."""

Told = dict[str, dict[str, list[str]]]
"""Finding → what is otherwise → rows."""

_SHORT = (
    (r"(status \d+, not \d+): .*", r"\1"),
    (r"(status \d+: \w+ is there).*", r"\1"),
    (r"content-type .*, not application/problem\+json", "no problem document"),
    (r"header ([a-z0-9-]+): .*, which must not be there", r"the answer has \1"),
    (r"header ([a-z0-9-]+): None, .*", r"the answer has no \1"),
    (r"header ([a-z0-9-]+): .*", r"the answer says otherwise in \1"),
    (r"the service saw ([a-z0-9-]+): None, .*", r"the service sees no \1"),
    (r"the service saw ([a-z0-9-]+): .*", r"the service sees another \1"),
    (r"the service saw '(.*)', not '(.*)'", r"the service sees \1, not \2"),
    (r"service None, not .*", "no service answers"),
    (r"service '(.*)', not '(.*)'", r"\1 answers, not \2"),
    (r"(\S+) gave \d+ of \d+ answers, .*", r"\1 has another part of the answers"),
    (r"\S+ has seen the request", "the service sees it"),
)


def short(difference: str) -> str:
    """Say a difference without what changes from run to run."""
    for pattern, words in _SHORT:
        if (found := re.fullmatch(pattern, difference, re.DOTALL)) is not None:
            return found.expand(words)
    return difference


def known(name: str) -> Told:
    """Read the differences of a mesh."""
    path = FOLDER / f"{name}.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def by_row(told: Told) -> dict[str, set[str]]:
    """Turn them round: row → what is otherwise."""
    found: dict[str, set[str]] = {}
    for kinds in told.values():
        for kind, rows in kinds.items():
            for row in rows:
                found.setdefault(row, set()).add(kind)
    return found


def update(name: str, found: Found) -> None:
    """Write the differences of a mesh anew, where that is asked for; what is known keeps its finding."""
    if not os.environ.get("SHOAL_UPDATE_GOLDEN"):
        return
    before = known(name)
    codes = {(kind, row): code for code, kinds in before.items() for kind, rows in kinds.items() for row in rows}
    told: Told = {}
    for row, kinds in sorted(found.items()):
        for kind in kinds:
            told.setdefault(codes.get((kind, row), NEW), {}).setdefault(kind, []).append(row)
    (FOLDER / f"{name}.toml").write_text(written(told), "utf-8")


def written(told: Told) -> str:
    """Write differences as TOML."""
    lines: list[str] = []
    for code, kinds in sorted(told.items()):
        lines += [*([""] if lines else []), f"[{_quoted(code)}]"]
        for kind, rows in sorted(kinds.items()):
            lines += [f"{_quoted(kind)} = [", *(f"    {_quoted(row)}," for row in sorted(set(rows))), "]"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return f'"{text}"' if re.fullmatch(r'[^"\\\x00-\x1f]*', text) else f"'{text}'"
