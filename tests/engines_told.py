"""What a run ends with: which engines were asked, and which were not, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

from shoal.model import catalog

ASKED_IN = {
    "documents": "postgres_documents",
    "duckdb": "warehouses",
    "folder": "objects",
    "postgres-search": "searches",
}
"""Files of ``tests/drivers/`` that are not called as their engine is."""

PLAYED = frozenset({"opensearch"})
"""Engines of which no server can be had here: what is documented of them is played."""

_DRIVERS = "tests/drivers/test_"


def told(stats: dict[str, list[Any]]) -> Iterator[str]:
    """Say of each engine that has a driver how many of its tests ran, or why none did."""
    done, skipped = _by_file(stats, ("passed", "failed", "error")), _by_file(stats, ("skipped",))
    for row in catalog.ENGINES:
        name = ASKED_IN.get(row.name, row.name)
        ran, left = done.get(name, []), skipped.get(name, [])
        if ran:
            outcomes = Counter(outcome for outcome, _ in ran)
            played = " (played)" if row.name in PLAYED else ""
            yield f"{row.name}{played}: " + ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        elif left:
            yield f"{row.name}: did not run: {_reason(left[0][1])}"


def _by_file(stats: dict[str, list[Any]], outcomes: Iterable[str]) -> dict[str, list[tuple[str, Any]]]:
    found: dict[str, list[tuple[str, Any]]] = {}
    for outcome in outcomes:
        for report in stats.get(outcome, ()):
            file = str(getattr(report, "nodeid", "")).partition("::")[0]
            if file.startswith(_DRIVERS):
                name = PurePath(file).stem.removeprefix("test_")
                found.setdefault(name, []).append((outcome, report))
    return found


def _reason(report: Any) -> str:
    said = report.longrepr
    return str(said[2] if isinstance(said, tuple) else said).removeprefix("Skipped: ")
