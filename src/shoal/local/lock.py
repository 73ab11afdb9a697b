"""One supervisor per project: a lock that the kernel lets go of when its holder dies."""

import errno
import fcntl
import os
from pathlib import Path

from shoal.errors import HostError


class Lock:
    """The right to run the project. Make it with `acquire`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another supervisor run the project."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def acquire(path: Path) -> Lock:
    """Take the lock, or raise `HostError` that names who holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise HostError(f"cannot lock {path}: {error.strerror}", hint="keep the project on a local disk") from error
        raise HostError(
            f"this project is already running (pid {holder or 'unknown'})",
            hint="`shoal ps` shows it and `shoal stop` stops it",
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return Lock(descriptor)
