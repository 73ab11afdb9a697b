"""Processor time of process trees, in nanoseconds, as the scheduler accounts it.

``/proc/PID/task/TID/schedstat`` (kernel documentation, sched-stats) needs no rights and no control group, and is exact
where ``/proc/PID/stat`` counts ticks of 10 ms. A process that ends between two readings takes its account with it, so
what is measured must live as long as the measurement.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

PROC = Path("/proc")


def used(roots: Iterable[int], proc: Path = PROC) -> int:
    """Sum the processor time of the processes `roots` and all their descendants."""
    return sum(_used_by(proc / str(pid)) for pid in family(roots, proc))


def by_process(roots: Iterable[int], proc: Path = PROC) -> dict[int, int]:
    """Read the processor time of each of the processes `roots` and all their descendants."""
    return {pid: _used_by(proc / str(pid)) for pid in family(roots, proc)}


def since(before: Mapping[int, int], roots: Iterable[int], proc: Path = PROC) -> int:
    """Sum what was used since an earlier reading; what ended meanwhile counts as idle, such as a spare connection."""
    return sum(used - before.get(pid, 0) for pid, used in by_process(roots, proc).items())


def family(roots: Iterable[int], proc: Path = PROC) -> set[int]:
    """Find the processes `roots` and all their descendants."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents(proc):
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    waiting = [*roots]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def _parents(proc: Path) -> Iterator[tuple[int, int]]:
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text("utf-8", "replace")
            except OSError:
                continue
            yield int(entry.name), int(text.rpartition(")")[2].split()[1])


def _used_by(process: Path) -> int:
    total = 0
    for file in process.glob("task/*/schedstat"):
        try:
            total += int(file.read_text("ascii").split()[0])
        except OSError:
            continue
    return total
