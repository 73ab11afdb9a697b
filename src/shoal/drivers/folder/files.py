"""One file for each object: a head of fixed size that says what it is, then its content.

Head and content have one name, so no reader finds the one without the other. A file gets its name by a rename, when
all of it is on the disk; whoever dies before leaves a draft that nobody reads.
"""

import contextlib
import fcntl
import hashlib
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec

from shoal.drivers.base.objects import ABSENT, Stored
from shoal.errors import Conflict, EngineError, Unavailable

HEAD = 1024
"""Bytes of the head: JSON, filled up with spaces."""

_DRAFT = "draft-"
_ABANDONED = 24 * 3600.0
"""Seconds after which a draft is one that a dead process left: no write takes so long."""

_BETWEEN = "+"
"""Stands for ``/`` in names of files; no name of an object has it."""


class Folder:
    """A folder of objects; every method may be called from any thread and process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> None:
        """Make it, for this user alone, and remove abandoned drafts."""
        with _translated(f"make {self.path}"):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for draft in self.path.glob(f".{_DRAFT}*"):
                with contextlib.suppress(FileNotFoundError):
                    if draft.stat().st_mtime < time.time() - _ABANDONED:
                        draft.unlink()

    def file(self, name: str) -> Path:
        """Say where an object is."""
        return self.path / name.replace("/", _BETWEEN)

    def opened(self, name: str) -> "Opened | None":
        """Open an object, if there is one."""
        with _translated(f"read {name}"):
            try:
                return Opened(self.file(name), name)
            except FileNotFoundError:
                return None

    def content(self, name: str) -> bytes | None:
        """Read an object whole."""
        opened = self.opened(name)
        if opened is None:
            return None
        with opened:
            return opened.piece(0, opened.stored.size)

    def head(self, name: str) -> Stored | None:
        """Read what is known of an object."""
        opened = self.opened(name)
        if opened is None:
            return None
        with opened:
            return opened.stored

    def remove(self, name: str) -> None:
        """Remove an object."""
        with _translated(f"remove {name}"), self.alone():
            self.file(name).unlink(missing_ok=True)
            self.sync()

    def list(self, prefix: str, after: str, limit: int) -> Sequence[Stored]:
        """List objects by name; one that is removed meanwhile is left out."""
        with _translated(f"list {self.path}"):
            names = (entry.name.replace(_BETWEEN, "/") for entry in os.scandir(self.path) if entry.name[0] != ".")
            chosen = sorted(name for name in names if name.startswith(prefix) and name > after)[:limit]
        return [found for name in chosen if (found := self.head(name)) is not None]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other writer out, of this process and of others, while an object changes."""
        lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def sync(self) -> None:
        """Wait until names are on the disk."""
        here = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(here)
        finally:
            os.close(here)


class Opened:
    """An open object: the content that it had when it was opened."""

    def __init__(self, path: Path, name: str) -> None:
        self._file = path.open("rb")
        try:
            self.stored = msgspec.structs.replace(msgspec.json.decode(self._file.read(HEAD), type=Stored), name=name)
        except BaseException:
            self._file.close()
            raise

    def piece(self, start: int, size: int) -> bytes:
        """Read some bytes of the content."""
        with _translated(f"read {self.stored.name}"):
            self._file.seek(HEAD + start)
            return self._file.read(size)

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class Draft:
    """An object that is being written."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._path = folder.path / f".{_DRAFT}{uuid.uuid4().hex}"
        self._digest, self._size = hashlib.sha256(), 0
        with _translated("begin to write"):
            made = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._file = os.fdopen(made, "wb")
            self._file.write(b" " * HEAD)

    @property
    def sha256(self) -> str:
        """Digest of what was written so far."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Write what comes next."""
        with _translated("write"):
            self._file.write(piece)
        self._digest.update(piece)
        self._size += len(piece)

    def keep(self, name: str, type: str, expect: str | None) -> Stored:
        """Give it its name, on the disk; `Conflict`, and it is gone, unless what has the name is as expected."""
        try:
            return self._keep(name, type, expect)
        except BaseException:
            self.discard()
            raise

    def _keep(self, name: str, type: str, expect: str | None) -> Stored:
        stored = Stored(
            name=name, size=self._size, type=type, etag=self.sha256[:32], modified=datetime.now(UTC), sha256=self.sha256
        )
        with _translated(f"write {name}"):
            self._file.seek(0)
            self._file.write(msgspec.json.encode(stored).ljust(HEAD))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            with self._folder.alone():
                known = None if expect is None else self._folder.head(name)
                if expect is not None and expect != (known.etag if known else ABSENT):
                    raise Conflict(f"object {name} is not as it was expected")
                self._path.rename(self._folder.file(name))
                self._folder.sync()
        return stored

    def discard(self) -> None:
        """Remove it, unless it has its name."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except msgspec.MsgspecError as error:
        raise EngineError(f"cannot {what}: the file is damaged: {error}", hint="remove it") from error
    except OSError as error:
        raise Unavailable(f"cannot {what}: {error}", hint="look at the disk and the rights of the folder") from error
