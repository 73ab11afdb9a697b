"""The page of the house, docs/architecture.md, as data: the map, and the files that it names."""

import re

from tests.house import ANYTHING, ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
TREES = ("src", "shop", "bench", "tests", "docs", "contracts")
"""Where files lie that the page may name."""

_NAMED = re.compile(r"`((?:[a-z]\w*/)*\w*(?:/|\.py|\.js))`")
_PLACEHOLDER = re.compile(r"(^|/)x(/|\.\w+)?$")
_WHOLE = {"everything": ANYTHING, "nothing": frozenset[str]()}


def reads(page: str) -> dict[str, frozenset[str]]:
    """Read the map: each package, and the packages that it reads besides `errors`."""
    table = page.partition("## The map\n\n")[2].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    return {
        re.sub(r"[`/]|\.py", "", name): _WHOLE.get(others, frozenset(re.findall(r"`(\w+)", others)))
        for name, _, others in rows
    }


def absent(page: str) -> list[str]:
    """List the files and folders that a page names and that are not there, from wherever it tells their path."""
    paths = (path.relative_to(ROOT) for top in TREES for path in (ROOT / top, *(ROOT / top).rglob("*")))
    ends = {end for path in paths for end in _ends(path.parts)}
    return [name for name in _NAMED.findall(page) if name.rstrip("/") not in ends and not _PLACEHOLDER.search(name)]


def _ends(parts: tuple[str, ...]) -> list[str]:
    return ["/".join(parts[start:]) for start in range(len(parts))]
