"""What this machine must offer, each lack with one clear message."""

import os
import shutil
import sys
from pathlib import Path

from shoal.errors import HostError

_PLATFORMS = ("linux", "darwin")
_SOCKET_PATH_BYTES = 103  # sun_path holds 104 bytes on macOS and 108 on Linux, with the final zero
_MIB = 1024 * 1024


def require_platform(platform: str = sys.platform) -> None:
    """Refuse a platform for which there are no engines.

    Raises:
        HostError: The platform is not Linux or macOS.
    """
    if platform not in _PLATFORMS:
        raise HostError(
            f"the local engines run on Linux and macOS, not on {platform}",
            hint="on Windows, run the same command inside WSL 2",
        )


def require_space(directory: Path, mebibytes: int) -> None:
    """Refuse a disk that is almost full.

    Raises:
        HostError: Less than `mebibytes` are free where `directory` is or will be.
    """
    place = directory
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free // _MIB
    if free < mebibytes:
        raise HostError(
            f"the disk of {directory} has {free} MiB free; at least {mebibytes} MiB are needed",
            hint="free disk space, or put the project on another disk",
        )


def require_socket_path(path: Path) -> None:
    """Refuse a UNIX socket whose path the kernel cannot hold.

    Raises:
        HostError: The path is longer than 103 bytes.
    """
    size = len(os.fsencode(path))
    if size > _SOCKET_PATH_BYTES:
        raise HostError(
            f"the socket path {path} has {size} bytes; UNIX sockets allow {_SOCKET_PATH_BYTES}",
            hint="put the sockets in a shorter directory, for instance below /tmp",
        )


def private_directory(path: Path) -> Path:
    """Make a directory that only this user can enter, and its parents, and return it.

    Raises:
        HostError: It cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(
            f"cannot make the directory {path}: {error.strerror or error}",
            hint=f"check the rights and the free space of {path.parent}",
        ) from error
    return path


def private_file(path: Path, text: str) -> Path:
    """Replace a file, readable by this user only, in one step, and return its path.

    Raises:
        HostError: It cannot be written.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise HostError(
            f"cannot write {path}: {error.strerror or error}",
            hint="free disk space, and check the rights of its directory",
        ) from error
    return path


def cache_directory() -> Path:
    """Return the directory for what can be made again: XDG_CACHE_HOME or ~/.cache, below it ``shoal``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shoal"
