"""Where a system may be that is not where it was looked for."""

import re
from collections.abc import Iterator
from pathlib import Path

from shoal.errors import ShoalError
from shoal.operating.settings import FILE, document

PATTERNS = ("*.py", "*/*.py", "src/*.py", "src/*/*.py", "src/*/*/*.py")
"""Where modules of a project lie, from its folder."""

ELSEWHERE = frozenset({"tests", "test", "node_modules", "site-packages", "build", "dist"})
MOST = 400
"""Files that are looked at, the first by name."""

_DECLARED = re.compile(r"^(?P<name>\w+)\s*(?::\s*[\w.]+\s*)?=\s*(?:\w+\.)?System\(", re.MULTILINE)


def hint(wanted: str, root: Path) -> str:
    """Say how a system can be named that is not where it was looked for.

    Args:
        wanted: ``module:attribute`` that was looked for.
        root: Folder of the project.
    """
    for place, found in _misplaced(root):
        return f'{FILE} says system = "{found}" in {place}; it belongs in [tool.shoal]'
    for file, entry in _declared(root):
        above = file.parts[0] == "src"
        install = "install the project, so that it can be imported: pip install -e ." if above else ""
        name = "" if entry == wanted else f'name it: --system {entry}, or [tool.shoal] system = "{entry}" in {FILE}'
        return f"{file.as_posix()} declares one; " + ", and ".join(filter(None, (install, name)))
    return f"name it with --system MODULE:ATTRIBUTE or [tool.shoal] system in {FILE}, or: shoal new DIR"


def _misplaced(root: Path) -> Iterator[tuple[str, str]]:
    """Find what is said in a table that nobody reads."""
    try:
        found = document(root)
    except ShoalError:
        return
    tool = found.get("tool", {})
    tables = {"the file itself": found, "[project]": found.get("project"), "[tool]": tool}
    tables |= {f"[{name}]": one for name, one in found.items() if name.lower() == "shoal"}
    tables |= {f"[tool.{name}]": one for name, one in tool.items() if name != "shoal" and name.lower() == "shoal"}
    for place, one in tables.items():
        if isinstance(one, dict) and isinstance(one.get("system"), str) and ":" in one["system"]:
            yield place, one["system"]


def _declared(root: Path) -> Iterator[tuple[Path, str]]:
    """Find modules that declare a system, by their text; nothing is imported."""
    files = [file for pattern in PATTERNS for file in sorted(root.glob(pattern))]
    for file in files[:MOST]:
        path = file.relative_to(root)
        if ELSEWHERE & set(path.parts) or any(part.startswith((".", "test_")) for part in path.parts):
            continue
        try:
            found = _DECLARED.search(file.read_text("utf-8", errors="replace"))
        except OSError:
            continue
        if found:
            parts = path.with_suffix("").parts[path.parts[0] == "src" :]
            yield path, f"{'.'.join(parts).removesuffix('.__init__')}:{found['name']}"
