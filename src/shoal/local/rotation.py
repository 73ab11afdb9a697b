"""Keep the access log of the proxies from growing without end: it is renamed, and Envoy opens a new one."""

import asyncio
import contextlib
from pathlib import Path

from shoal.local.logs import LARGEST, older
from shoal.local.probe import ask

EVERY = 2.0
"""Seconds between two looks at its size."""

_WITHIN = 5.0


async def keep_bounded(access: Path, admin: Path, *, largest: int = LARGEST, every: float = EVERY) -> None:
    """Rename the log to ``NAME.1`` when it is larger than `largest` bytes, until cancelled; no line is lost.

    What Envoy has not written yet goes into the file that it has open, so the old one may grow for a moment.
    """
    log = _Log(access, largest)
    while True:
        await asyncio.sleep(every)
        with contextlib.suppress(OSError):
            log.look()
            if log.is_gone:
                log.is_gone = not await _reopened(admin)


class _Log:
    """The log that Envoy has open."""

    def __init__(self, file: Path, largest: int) -> None:
        self._file, self._largest = file, largest
        self._was_there = False
        self.is_gone = False
        """It was renamed, or taken away by somebody else, and Envoy has not opened a new one."""

    def look(self) -> None:
        """Rename it when it is too large."""
        is_there = self._file.exists()
        if is_there and self._file.stat().st_size > self._largest:
            self._file.replace(older(self._file))
            is_there, self._was_there = False, True
        self.is_gone = self.is_gone or (self._was_there and not is_there)
        self._was_there = is_there


async def _reopened(admin: Path) -> bool:
    """Let Envoy open its logs by name again; say whether it does. Raises `OSError` when it does not answer."""
    return (await ask(admin, "/reopen_logs", method="POST", within=_WITHIN)).status == 200
