"""What happened in a simulation, for the eyes of whoever must find out why it failed."""

import logging
from collections import deque
from typing import Any

from shoal.testing.simulation.domain import DOMAIN
from shoal.testing.simulation.loop import VirtualLoop

KEPT = 5_000
"""Entries that are remembered."""


class Trace:
    """Entries with their virtual time and the process that they happened in."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._entries: deque[tuple[float, str, str, tuple[Any, ...]]] = deque(maxlen=KEPT)
        self.digest = 0
        self.over = False

    def note(self, what: str, *details: Any) -> None:
        """Add an entry; details are numbers and texts."""
        if self.over:
            return
        domain = DOMAIN.get()
        entry = (round(self._loop.time(), 6), domain.name if domain else "-", what, details)
        self.digest = hash((self.digest, entry[0], entry[1], what, str(details)))
        self._entries.append(entry)

    def lines(self) -> list[str]:
        """Write the entries, oldest first."""
        return [
            f"{at:9.4f}  {who:<14} {what} {' '.join(map(str, details))}".rstrip()
            for at, who, what, details in self._entries
        ]


class TraceHandler(logging.Handler):
    """Leads what the code under test logs into the trace."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace

    def emit(self, record: logging.LogRecord) -> None:
        """Note a record, with the exception that it tells of."""
        error = record.exc_info[1] if record.exc_info else None
        self._trace.note(record.levelname.lower(), record.getMessage(), *([repr(error)] if error else []))
