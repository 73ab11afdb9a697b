"""Logs of processes: one file of JSON lines each, bounded and rotated."""

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator
from io import BufferedWriter
from pathlib import Path

import msgspec

LARGEST = 8 * 1024 * 1024
"""Bytes of one file; the one before it is kept as ``NAME.1.log``."""

_FLUSH_AFTER = 0.2
_LEVELS = (
    (("panic", "fatal", "critical"), "critical"),
    (("error", "[err]"), "error"),
    (("warning", "[wrn]"), "warning"),
)
_ORDINARY = re.compile(
    r'duplicate key value violates unique constraint "(receipts|inbox)_pkey"'  # a repetition, which has its answer
    r"|the database system is (starting up|not yet accepting connections)"  # who starts it asks until it answers
)
"""What engines call an error and what is part of their work."""

_encode = msgspec.json.encode


class Line(msgspec.Struct, kw_only=True):
    """What is common to all lines of a log; services add fields of their own."""

    time: float = 0.0
    """Seconds since 1970."""
    level: str = "info"
    message: str = ""
    trace_id: str = ""


def files(folder: Path) -> list[Path]:
    """List the logs of a folder; `read` reads a rotated one with that which followed it."""
    return [file for file in sorted(folder.glob("*.log")) if not file.stem.endswith(".1")]


class Log:
    """The log of one process. A full disk costs lines and stops nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BufferedWriter | None = None
        self._size = 0
        self._flush: asyncio.TimerHandle | None = None

    def write(self, line: str) -> None:
        """Add one line; what is no JSON object becomes the message of one."""
        text = line.encode() if line.startswith("{") else wrap(line)
        with contextlib.suppress(OSError):
            file = self._opened()
            file.write(text + b"\n")
            self._size += len(text) + 1
            if self._flush is None:
                self._flush = asyncio.get_running_loop().call_later(_FLUSH_AFTER, self.flush)

    def flush(self) -> None:
        """Bring what was written to the file."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.flush()

    def close(self) -> None:
        """Flush and close the file; a later line opens it again."""
        self.flush()
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

    def _opened(self) -> BufferedWriter:
        if self._file is not None and self._size >= LARGEST:
            self.close()
            self.path.replace(older(self.path))
        if self._file is None:
            self._file = self.path.open("ab")
            self._size = self._file.tell()
        return self._file


def older(path: Path) -> Path:
    """Locate the file that came before `path`."""
    return path.with_name(f"{path.stem}.1{path.suffix}")


def wrap(line: str) -> bytes:
    """Turn a line of plain text into a JSON line, with its level guessed from its words."""
    start = line[:80].lower()
    level = next((level for words, level in _LEVELS if any(word in start for word in words)), "info")
    if level != "info" and _ORDINARY.search(line):
        level = "debug"
    return _encode({"time": time.time(), "level": level, "message": line})


def read(path: Path) -> Iterator[bytes]:
    """Yield the lines of a log, oldest first, of the rotated file too."""
    for file in (older(path), path):
        with contextlib.suppress(FileNotFoundError), file.open("rb") as lines:
            yield from (line.rstrip(b"\n") for line in lines)


def parse(line: bytes) -> tuple[Line, dict[str, object]]:
    """Read a line: the common part, and its further fields."""
    try:
        whole = msgspec.json.decode(line)
        return msgspec.convert(whole, Line), {k: v for k, v in whole.items() if k not in Line.__struct_fields__}
    except (msgspec.MsgspecError, AttributeError):
        return Line(message=line.decode("utf-8", "replace")), {}
