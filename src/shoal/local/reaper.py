"""End processes whose supervisor has died.

This file is both a module and a program. As a program it runs as ``python -I -S reaper.py TOKEN RECORD``
with the standard library alone, reads its orders from a pipe held by the supervisor and acts when that pipe
ends, which it does however the supervisor died. Orders are lines::

    +PID SIGNAL    end this process group, asking with this signal first
    -PID           it has ended

Each order is also appended to RECORD, with the start time of the process, so that the next run can end what
was left if the reaper was killed as well. RECORD names its own inode, since a copy of it speaks of another
project's processes. A process is only ever signalled while its start time is the recorded one, so a recycled
pid is safe.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

TOKEN_VARIABLE = "SHOAL_GUARDIAN"  # noqa: S105 - the name of a variable
POLITE_SECONDS = 2.5
KILLED_SECONDS = 2.0
_POLL_SECONDS = 0.02


class Entry(NamedTuple):
    """One process of the machine; `born` is unique to it among all that had its pid."""

    pid: int
    parent: int
    group: int
    dead: bool
    born: str


class Charge(NamedTuple):
    """A process group to end, and how to ask."""

    pid: int
    number: int
    born: str


Table = Mapping[int, Entry]


def table() -> dict[int, Entry]:
    """Return every process of the machine."""
    return _table_from_proc() if _has_proc() else _table_from_ps()


def born(pid: int) -> str:
    """Return what tells a living process from any later one with its pid; empty when it is dead."""
    entry = _entry_from_proc(str(pid)) if _has_proc() else _table_from_ps().get(pid)
    return "" if entry is None or entry.dead else entry.born


def family(pid: int, processes: Table | None = None) -> set[int]:
    """Return the living members of the group `pid`, with all their descendants in whatever group."""
    entries = table() if processes is None else processes
    children: dict[int, list[int]] = {}
    for entry in entries.values():
        children.setdefault(entry.parent, []).append(entry.pid)
    found: set[int] = set()
    waiting = [entry.pid for entry in entries.values() if pid in (entry.pid, entry.group)]
    while waiting:
        member = waiting.pop()
        if member not in found:
            found.add(member)
            waiting.extend(children.get(member, ()))
    return {member for member in found if not entries[member].dead}


def replay(lines: Iterable[str]) -> tuple[str, list[Charge]]:
    """Read a record: its token and the processes that had not ended."""
    token, charges = "", dict[int, Charge]()
    for line in lines:
        words = line.split()
        if line.startswith("=") and len(words) == 1:
            token = words[0][1:]
        elif line.startswith("+") and len(words) == 3:  # pid, signal, start time
            charges[int(words[0])] = Charge(int(words[0]), int(words[1]), words[2])
        elif line.startswith("-") and len(words) == 1:
            charges.pop(int(words[0][1:]), None)
    return token, list(charges.values())


def identity(record: Path) -> str:
    """Return what tells a record from every copy of it; a record that is moved keeps it."""
    found = record.stat()
    return f"{found.st_dev}:{found.st_ino}"


def end(charges: Iterable[Charge], token: str = "", polite: float = POLITE_SECONDS) -> list[int]:
    """Ask every charge to end, wait until all are gone, kill what is left after `polite` seconds.

    Takes the descendants with them, and on Linux whatever carries `token` in its environment.

    Returns:
        The pids of the processes that were ended.
    """
    wanted = list(charges)
    processes = table()
    targets = _targets(wanted, token, processes)
    everything = dict(targets)
    for pid in targets:
        _signal(pid, _polite_signal(pid, wanted, processes))
    targets = _wait(targets, wanted, token, polite)
    everything |= targets
    for pid in targets:
        _signal(pid, signal.SIGKILL)
    everything |= _wait(targets, wanted, token, KILLED_SECONDS, kill=True)
    return sorted(everything)


def _targets(charges: list[Charge], token: str, processes: Table) -> dict[int, str]:
    pids: set[int] = set()
    for charge in charges:
        leader = processes.get(charge.pid)
        if leader is None or leader.born == charge.born:
            pids |= family(charge.pid, processes)
    if token:
        pids |= {entry.pid for entry in processes.values() if _carries(entry.pid, token)}
    pids.discard(os.getpid())
    return {pid: processes[pid].born for pid in pids if not processes[pid].dead}


def _polite_signal(pid: int, charges: list[Charge], processes: Table) -> int:
    group = processes[pid].group
    for charge in charges:
        if charge.pid == group:
            return charge.number
    parents = {charge.pid for charge in charges}
    # A descendant in a group of its own, as a PostgreSQL backend, is ended by its parent.
    return 0 if processes[pid].parent in parents else signal.SIGTERM


def _wait(
    targets: dict[int, str], charges: list[Charge], token: str, seconds: float, *, kill: bool = False
) -> dict[int, str]:
    deadline = time.monotonic() + seconds
    while targets and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        processes = table()
        kept = {pid: born for pid, born in targets.items() if _lives(pid, born, processes)}
        fresh = _targets(charges, token, processes)
        if kill:
            for pid in fresh.keys() - kept.keys():
                _signal(pid, signal.SIGKILL)
        targets = kept | fresh
    return targets


def _lives(pid: int, born: str, processes: Table) -> bool:
    entry = processes.get(pid)
    return entry is not None and not entry.dead and entry.born == born


def _signal(pid: int, number: int) -> None:
    if number:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _carries(pid: int, token: str) -> bool:
    try:
        return f"{TOKEN_VARIABLE}={token}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _has_proc() -> bool:
    return Path("/proc/self/stat").exists()


def _table_from_proc() -> dict[int, Entry]:
    names = os.listdir("/proc")  # noqa: PTH208 - thousands of names, many times a second
    entries = (_entry_from_proc(name) for name in names if name.isdigit())
    return {entry.pid: entry for entry in entries if entry is not None}


def _entry_from_proc(name: str) -> Entry | None:
    try:
        # Fields of proc_pid_stat(5); the second, in parentheses, may hold anything.
        fields = Path("/proc", name, "stat").read_bytes().rpartition(b")")[2].split()
        return Entry(int(name), int(fields[1]), int(fields[2]), fields[0] in (b"Z", b"X"), fields[19].decode("ascii"))
    except (OSError, IndexError):  # it has just ended
        return None


def _table_from_ps() -> dict[int, Entry]:
    import subprocess  # noqa: PLC0415 - only where there is no /proc

    argv = ["/bin/ps", "-A", "-o", "pid=,ppid=,pgid=,stat=,lstart="]
    environment = {"LC_ALL": "C", "TZ": "UTC"}
    listing = subprocess.check_output(argv, text=True, env=environment)  # noqa: S603 - a constant
    found = {}
    for line in listing.splitlines():
        pid, parent, group, state, *born = line.split()
        found[int(pid)] = Entry(int(pid), int(parent), int(group), state[0] in "ZX", "_".join(born))
    return found


class _Ledger:
    """The orders of a running supervisor, and their record on disk."""

    def __init__(self, token: str, record: Path) -> None:
        self.charges: dict[int, Charge] = {}
        self._record = record
        self._title = f"={token}\n"
        self._note(f"={token}", "w")
        with contextlib.suppress(OSError):
            self._note(f"@{identity(record)}")

    def obey(self, order: str) -> None:
        words = order.split()
        pid = int(words[0][1:])
        if order.startswith("+"):
            self.charges[pid] = Charge(pid, int(words[1]), born(pid) or "gone")
            self._note(f"+{pid} {words[1]} {self.charges[pid].born}")
        elif self.charges.pop(pid, None):
            self._note(f"-{pid}")

    def forget(self) -> None:
        """Remove the record, unless the next run has already begun its own."""
        with contextlib.suppress(OSError):
            if self._record.read_text("ascii").startswith(self._title):
                self._record.unlink()

    def _note(self, line: str, mode: str = "a") -> None:
        # A full disk must not stop the guard; the record is a second line of defence.
        with contextlib.suppress(OSError), self._record.open(mode, encoding="ascii") as record:
            record.write(line + "\n")


def main(token: str, record: str) -> None:
    """Obey the orders on standard input until it ends, then end every process that is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    ledger = _Ledger(token, Path(record))
    for line in sys.stdin:
        with contextlib.suppress(ValueError, IndexError):
            ledger.obey(line)
    end(ledger.charges.values(), token)
    ledger.forget()


if __name__ == "__main__":
    main(*sys.argv[1:])
