"""What the limiter is told: where it listens and counts, and which limits hold."""

import os
from pathlib import Path

import msgspec

from shoal.drivers.valkey.link import Door


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where it listens, and where it counts."""

    listen: str
    """Path of its UNIX socket."""
    limits: str
    """File of the limits, which changes while it runs."""
    valkey: str
    """Path of Valkey's UNIX socket."""
    user: str
    password: str

    def __repr__(self) -> str:
        """Show no password."""
        return f"Settings(listen={self.listen!r})"

    @property
    def door(self) -> Door:
        """Where Valkey is entered."""
        return Door(socket=Path(self.valkey), user=self.user, password=self.password)


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """A limit: `requests` tokens come back within `per` seconds, and a full bucket holds `size`."""

    requests: int
    per: float
    size: int


class Limits:
    """The limits by the name of their operation, as their file has them now."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = (-1, -1)
        self._known: dict[str, Bucket] = {}

    def of(self, operation: str) -> Bucket | None:
        """Find the limit of an operation.

        A file that cannot be read, as while it is being copied, leaves the limits as they were.
        """
        try:
            now = os.stat(self._file)  # noqa: PTH116 - asked for each request
            if (now.st_ino, now.st_mtime_ns) != self._seen:
                self._known = msgspec.json.decode(self._file.read_bytes(), type=dict[str, Bucket])
                self._seen = (now.st_ino, now.st_mtime_ns)
        except (OSError, msgspec.MsgspecError):
            pass
        return self._known.get(operation)
