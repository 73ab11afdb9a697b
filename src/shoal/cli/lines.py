"""Log lines for people."""

import time
from typing import IO

from shoal.cli.output import harmless, style
from shoal.local.logs import parse

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}

_COLOURS = ("cyan", "magenta", "blue", "green", "yellow", "bright_cyan", "bright_magenta", "bright_blue")
_LEVEL_COLOURS = {"debug": "bright_black", "warning": "yellow", "error": "red", "critical": "red"}
_KNOWN = frozenset({"service", "replica", "logger", "span_id", "error"})


class Painter:
    """Writes lines with the time, the source in its colour, and the fields behind the message."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._colours: dict[str, str] = {}

    def paint(self, source: str, text: str) -> str:
        """Write one line of `source`, without what a terminal would obey; a line of plain text stays as it is."""
        colour = self._colours.setdefault(source, _COLOURS[len(self._colours) % len(_COLOURS)])
        name = style(f"{source:<14}", self._stream, fg=colour)
        if not text.startswith("{"):
            return f"{time.strftime('%H:%M:%S')} {name} {harmless(text)}"
        common, fields = parse(text.encode())
        when = time.strftime("%H:%M:%S", time.localtime(common.time or None))
        message = style(common.message, self._stream, fg=_LEVEL_COLOURS.get(common.level))
        rest = "".join(f" {key}={value}" for key, value in fields.items() if key not in _KNOWN)
        trace = f" trace={common.trace_id}" if common.trace_id else ""
        error = f"\n{fields['error']}" if fields.get("error") else ""
        return harmless(f"{when} {name} {message}{style(rest + trace, self._stream, fg='bright_black')}{error}")
