"""Requests that the gateway answered with a failure of which the service knows nothing: no replica gave that answer."""

from collections.abc import Iterator
from typing import Any

import msgspec

from shoal.dashboard.notices.fingerprint import Failure
from shoal.dashboard.store.reading.database import Database
from shoal.dashboard.store.records import ERROR
from shoal.dashboard.store.writing.edges import GATEWAY

LATE = 10.0
"""Seconds that the spans of services may take to come; what the gateway said is judged after that."""

_PORTION = 1000

_FAILED = f"""
SELECT s.n, s.trace, t.id, o.name, s.started + s.took, s.detail FROM spans s INDEXED BY spans_bad
JOIN resources r ON r.id = s.resource JOIN operations o ON o.id = s.operation JOIN traces t ON t.n = s.trace
WHERE s.n > ? AND s.n <= ? AND r.service = ? AND s.status = {ERROR} ORDER BY s.n
LIMIT {_PORTION}
"""  # noqa: S608 - ours; the index is of this status alone, which a value that is bound does not tell

_COUNTED = """
SELECT 1 FROM spans s JOIN resources r ON r.id = s.resource WHERE s.trace = ? AND r.service = ? AND s.status = ? LIMIT 1
"""

_DETAIL = msgspec.json.Decoder(tuple[dict[str, Any], Any, Any, str, Any])


def last_span(database: Database) -> int:
    """Return the number of the last span that is there."""
    row = database.one("SELECT max(n) FROM spans")
    return int(row[0] or 0) if row else 0


class Unanswered(msgspec.Struct, frozen=True, kw_only=True):
    """One such request."""

    service: str
    operation: str
    """As ``orders.place_order``."""
    failure: Failure


class Edge:
    """Reads the gateway's spans of a run, each once."""

    def __init__(self) -> None:
        self._read_to = 0

    def read(self, database: Database, until: float) -> list[Unanswered]:
        """Read on, up to what ended at a moment, in seconds since 1970."""
        found, last = list[Unanswered](), last_span(database)
        while rows := database.ask(_FAILED, (self._read_to, last, GATEWAY)):
            for row in rows:
                if row[4] / 1e6 > until:
                    return found
                self._read_to = row[0]
                found += _unanswered(database, row)
        self._read_to = last  # looked at all of them, so that the others are not looked at again
        return found


def _unanswered(database: Database, row: tuple[Any, ...]) -> Iterator[Unanswered]:
    """Tell of a request, where its service tells of no failure."""
    _, trace, identifier, name, ended, detail = row
    said, _, _, message, _ = _DETAIL.decode(detail)
    service = str(said.get("shoal.upstream", ""))
    if not service or database.one(_COUNTED, (trace, service, ERROR)):
        return
    failure = Failure(
        service=GATEWAY,
        operation=name,
        type=str(said.get("error.type", "error")),
        message=f"no answer of {service} ({message})",
        at=ended / 1000,
        trace_id=identifier.hex(),
    )
    yield Unanswered(service=service, operation=str(said.get("shoal.operation", "")), failure=failure)
