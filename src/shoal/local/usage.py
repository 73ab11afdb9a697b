"""What processes use of the machine: processor time and memory, each with its descendants, as Linux tells it."""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from shoal.local.ports import LISTENING

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What one process uses, with its descendants."""

    cpu: float
    """Processors, since the last look; since it began at the first one."""
    memory: int
    """Bytes in memory; what its processes may share, such as PostgreSQL's buffers, is counted once: the most of one."""
    processes: int
    """It and its descendants."""
    ports: tuple[int, ...] = ()
    """TCP ports on which it listens itself."""


class _Seen(msgspec.Struct, frozen=True):
    parent: int
    ticks: int
    began: int


class Meter:
    """Looks at processes, and remembers when it did. It knows nothing where there is no ``/proc``."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._last: dict[int, tuple[int, float, int]] = {}

    def look(self, pids: Iterable[int]) -> dict[int, Usage]:
        """Measure these processes; one that has gone is left out."""
        seen = self._survey()
        children: dict[int, list[int]] = {}
        for pid, one in seen.items():
            children.setdefault(one.parent, []).append(pid)
        now = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
        found, listening = {}, self._listening()
        for pid in pids:
            if pid in seen:
                family = _family(pid, children)
                cpu = self._cpu(seen[pid].began, pid, sum(seen[one].ticks for one in family), now)
                found[pid] = Usage(
                    cpu=cpu, memory=self._memory(family), processes=len(family), ports=self._ports(pid, listening)
                )
        self._last = {pid: last for pid, last in self._last.items() if pid in seen}
        return found

    def _cpu(self, began: int, pid: int, ticks: int, now: float) -> float:
        known, at, before = self._last.get(pid, (began, began / _TICKS, 0))
        if known != began:  # the id was given to another process
            at, before = began / _TICKS, 0
        self._last[pid] = (began, now, ticks)
        return round(max(0, ticks - before) / _TICKS / max(now - at, 1 / _TICKS), 3)

    def _memory(self, family: list[int]) -> int:
        """Add up what processes have for themselves, and what they share, once (``/proc/PID/statm``, proc(5))."""
        own, shared = 0, 0
        for pid in family:
            with contextlib.suppress(OSError):  # it has ended by now
                resident, common = map(int, (self._proc / str(pid) / "statm").read_text("ascii").split()[1:3])
                own, shared = own + resident - common, max(shared, common)
        return (own + shared) * _PAGE

    def _listening(self) -> dict[str, int]:
        """Find the sockets that listen, by their name among open files (proc(5), /proc/net/tcp)."""
        found = {}
        for table in ("tcp", "tcp6"):
            with contextlib.suppress(OSError):
                for line in (self._proc / "net" / table).read_text("utf-8").splitlines()[1:]:
                    fields = line.split()
                    if fields[3] == LISTENING:
                        found[f"socket:[{fields[9]}]"] = int(fields[1].rpartition(":")[2], 16)
        return found

    def _ports(self, pid: int, listening: dict[str, int]) -> tuple[int, ...]:
        found = set()
        with contextlib.suppress(OSError):
            for handle in (self._proc / str(pid) / "fd").iterdir():
                with contextlib.suppress(OSError):  # closed by now
                    found.add(listening.get(os.readlink(handle), 0))  # noqa: PTH115 - a socket is no path
        return tuple(sorted(found - {0}))

    def _survey(self) -> dict[int, _Seen]:
        seen = {}
        for folder in self._proc.iterdir() if self._proc.is_dir() else ():
            if folder.name.isdigit():
                try:
                    text = (folder / "stat").read_text("utf-8", "replace")
                except OSError:
                    continue
                seen[int(folder.name)] = _parse(text)
        return seen


def _parse(text: str) -> _Seen:
    """Read ``/proc/PID/stat`` (proc(5)); its second field is a name that may hold spaces and brackets."""
    fields = text.rpartition(")")[2].split()
    return _Seen(int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[19]))


def _family(pid: int, children: dict[int, list[int]]) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found
