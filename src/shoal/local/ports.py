"""Find free loopback ports, and say who holds a busy one."""

import contextlib
import fcntl
import os
import shlex
import socket
import tempfile
from pathlib import Path

from shoal.errors import HostError
from shoal.local import reaper

LOOPBACK = "127.0.0.1"
_TRIED = 100
_CLAIMS: list[int] = []
"""Open files whose locks keep ports for this process."""

_LOCK = "/.shoal/lock"
LISTENING = "0A"
"""TCP_LISTEN in /proc/net/tcp."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def first_free(port: int) -> int:
    """Return the first port of 127.0.0.1 from `port` on that nobody listens on now, and keep it from others.

    Who starts at the same moment asks here, too: a lock on a file for each port, held as long as this process lives,
    lets only one of them have it.
    """
    return next((each for each in range(port, port + _TRIED) if is_free(each) and _claimed(each)), 0) or free_port()


def _claimed(port: int) -> bool:
    """Lock the file that stands for a port; say whether we are the ones who have it."""
    try:
        place = Path(tempfile.gettempdir()) / f"shoal-{os.getuid()}-port-{port}"
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return True  # no files, no claims: whoever listens first has it
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    _CLAIMS.append(file)
    return True


def is_free(port: int) -> bool:
    """Say whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def check_port(port: int, *, option: str = "--port") -> None:
    """Refuse a port that cannot be listened on, and name who holds it.

    Args:
        port: The port wanted.
        option: Command-line option that chooses another; part of the hint.

    Raises:
        HostError: The port is busy, or reserved for root.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError as error:
            raise HostError(
                f"port {port} is reserved for the administrator", hint=f"choose one above 1023: {option} 8080"
            ) from error
        except OSError as error:
            raise _busy(port, option) from error


def _busy(port: int, option: str) -> HostError:
    holder = listener(port)
    if holder is None:
        return HostError(f"port {port} is already in use", hint=f"choose another with {option} {port + 1}")
    pid, program = holder
    project = _project(pid)
    if project is not None:  # whose supervisor would only start it again
        return HostError(
            f"port {port} is already in use by {program} (pid {pid}) of the project in {project}",
            hint=f"stop it with `shoal -C {shlex.quote(str(project))} stop`, or choose another port with"
            f" {option} {port + 1}",
        )
    return HostError(
        f"port {port} is already in use by {program} (pid {pid})",
        hint=f"stop it with `kill {pid}`, or choose another port with {option} {port + 1}",
    )


def listener(port: int) -> tuple[int, str] | None:
    """Return pid and program of who listens on a port; None when it cannot be found (only Linux tells)."""
    inodes = _listening_inodes(port)
    for process in Path("/proc").glob("[0-9]*") if inodes else ():
        with contextlib.suppress(OSError):
            for handle in (process / "fd").iterdir():
                if os.readlink(handle) in inodes:  # noqa: PTH115 - a socket is no path
                    return int(process.name), (process / "comm").read_text().strip()
    return None


def _project(pid: int) -> Path | None:
    """Find the project whose supervisor started a process: an ancestor that holds its lock."""
    processes = reaper.table()
    while pid > 1:
        with contextlib.suppress(OSError):
            for handle in (Path("/proc") / str(pid) / "fd").iterdir():
                file = os.readlink(handle)  # noqa: PTH115 - it may be no path
                if file.endswith(_LOCK):
                    return Path(file.removesuffix(_LOCK))
        pid = processes[pid].parent if pid in processes else 0
    return None


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(name).read_text().splitlines()[1:]:
                # sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode (proc_net_tcp)
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{fields[9]}]")
    return found
