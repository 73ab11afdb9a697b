"""Follow a log as it grows, also when it is renamed and another one takes its place."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

EVERY = 0.25
"""Seconds between two looks."""

PORTION = 1024 * 1024
"""Bytes that are read at once."""


class Follower:
    """Reads whole lines of a file that others write."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: BufferedReader | None = None
        self._rest = b""

    def lines(self) -> list[bytes]:
        """Return the lines that have come since the last time, as many as are read at once.

        After the file was renamed, what its writer still adds to it comes before what is in the new one.
        """
        if self._open is None:
            with contextlib.suppress(OSError):
                self._open = self._file.open("rb")
        if self._open is None:
            return []
        text = self._open.read(PORTION)
        if not text and self._left():
            self.close()
        whole, newline, self._rest = (self._rest + text).rpartition(b"\n")
        return whole.split(b"\n") if newline else []

    def close(self) -> None:
        """Close the file; the next look opens what has its name by then."""
        if self._open is not None:
            self._open.close()
            self._open, self._rest = None, b""

    def _left(self) -> bool:
        """Say whether another file has the name now, or this one was made shorter."""
        if self._open is None:
            return False
        try:
            named, held = self._file.stat(), os.fstat(self._open.fileno())
        except OSError:
            return False
        return named.st_ino != held.st_ino or named.st_size < self._open.tell()


async def follow(file: Path, take: Callable[[list[bytes]], None]) -> None:
    """Hand over the lines of a file, from its first one on, until cancelled; then what is there by then."""
    follower = Follower(file)
    try:
        while True:
            if lines := follower.lines():
                take(lines)
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(EVERY)
    finally:
        while lines := follower.lines():
            take(lines)
        follower.close()
