"""The gateway's spans into the store, as its access log grows."""

from pathlib import Path

import msgspec

from shoal.dashboard.collector.edge import gateway, span_of
from shoal.dashboard.store.writer import Writer


class Gateway:
    """Takes lines of the access log.

    Args:
        writer: Where the spans go.
        system: Whose gateway it is.
        routes: File of the path templates by ``service.endpoint``; it changes when the declaration does.
        since: Seconds since 1970; lines of earlier runs are left out.
    """

    def __init__(self, writer: Writer, system: str, routes: Path, since: float) -> None:
        self._writer, self._who, self._file = writer, gateway(system), routes
        self._since = round(since * 1_000_000)
        self._seen = (-1, -1)
        self._routes: dict[str, str] = {}

    def take(self, lines: list[bytes]) -> None:
        """Hand the spans of some lines to the writer."""
        routes = self._known()
        spans = [span for line in lines if (span := span_of(line, self._who, routes)) and span.started >= self._since]
        self._writer.put(spans)

    def _known(self) -> dict[str, str]:
        """Read the routes when they have changed; what cannot be read leaves them as they were."""
        try:
            now = self._file.stat()
            if (now.st_ino, now.st_mtime_ns) != self._seen:
                self._routes = msgspec.json.decode(self._file.read_bytes(), type=dict[str, str])
                self._seen = (now.st_ino, now.st_mtime_ns)
        except (OSError, msgspec.MsgspecError):
            pass
        return self._routes
