"""Cut the output of a process into lines of bounded length."""

import asyncio
import os
from collections.abc import Callable
from typing import cast

LONGEST_LINE = 16 * 1024


class LineReader(asyncio.Protocol):
    """Read a pipe and hand over its lines.

    A callback that raises loses its line and is counted in `refused`: a process must never be blocked by
    a log that cannot be written.
    """

    def __init__(self, on_line: Callable[[str], None], longest: int = LONGEST_LINE) -> None:
        self.refused = 0
        self._on_line = on_line
        self._longest = longest
        self._held = bytearray()
        self._cut = 0
        self._transport: asyncio.ReadTransport | None = None
        self._closed = asyncio.Event()

    async def attach(self, descriptor: int) -> None:
        """Start reading `descriptor`, which from now on belongs to this reader."""
        pipe = os.fdopen(descriptor, "rb", 0)
        try:
            await asyncio.get_running_loop().connect_read_pipe(lambda: self, pipe)
        except BaseException:
            pipe.close()
            raise

    async def drain(self, within: float) -> None:
        """Wait for the end of the pipe, at most `within` seconds: a stray descendant may hold it open."""
        try:
            await asyncio.wait_for(self._closed.wait(), within)
        except TimeoutError:
            self.close()
            await self._closed.wait()

    def close(self) -> None:
        """Stop reading."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the pipe (asyncio.Protocol)."""
        self._transport = cast("asyncio.ReadTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Take what was read (asyncio.Protocol)."""
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._hold(piece)
            self._deliver()
        self._hold(rest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio.Protocol
        """Deliver an unfinished last line (asyncio.Protocol)."""
        if self._held or self._cut:
            self._deliver()
        self._closed.set()

    def _hold(self, piece: bytes) -> None:
        room = self._longest - len(self._held)
        self._held += piece[:room]
        self._cut += max(0, len(piece) - room)

    def _deliver(self) -> None:
        line = self._held.decode("utf-8", "replace").rstrip("\r")
        if self._cut:
            line += f" … ({self._cut} bytes cut)"
        self._held.clear()
        self._cut = 0
        try:
            self._on_line(line)
        except Exception:  # noqa: BLE001 - whatever a log does, the pipe must be emptied
            self.refused += 1
