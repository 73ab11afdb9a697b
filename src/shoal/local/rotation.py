"""Keep the access log of the proxies from growing without end: it is renamed, and Envoy opens a new one."""

import asyncio
import contextlib
from pathlib import Path

from shoal.local.logs import LARGEST, older
from shoal.local.probe import connect

EVERY = 2.0
"""Seconds between two looks at its size."""

_WITHIN = 5.0


async def keep_bounded(access: Path, admin: Path, *, largest: int = LARGEST, every: float = EVERY) -> None:
    """Rename the log to ``NAME.1`` when it is larger than `largest` bytes, until cancelled; no line is lost.

    What Envoy has not written yet goes into the file that it has open, so the old one may grow for a moment.
    """
    while True:
        await asyncio.sleep(every)
        with contextlib.suppress(OSError):
            if _set_aside(access, largest):
                await _reopen(admin)


def _set_aside(access: Path, largest: int) -> bool:
    if access.stat().st_size <= largest:
        return False
    access.replace(older(access))
    return True


async def _reopen(admin: Path) -> None:
    """Let Envoy open its logs by name again."""
    async with asyncio.timeout(_WITHIN):
        reader, writer = await connect(admin)
        try:
            writer.write(
                b"POST /reopen_logs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
            await reader.read(-1)
        finally:
            writer.close()
