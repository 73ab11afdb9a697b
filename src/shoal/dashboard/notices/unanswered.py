"""Requests that the gateway answered with a failure of which the service knows nothing: no replica gave that answer."""

from typing import Any

import msgspec

from shoal.dashboard.notices.fingerprint import Failure
from shoal.dashboard.store.reading.database import Database
from shoal.dashboard.store.records import ERROR
from shoal.dashboard.store.writing.edges import GATEWAY

LATE = 10.0
"""Seconds that the spans of services may take to come; what the gateway said is judged after that."""

_FAILED = """
SELECT s.n, s.trace, t.id, o.name, s.started + s.took, s.detail FROM spans s
JOIN resources r ON r.id = s.resource JOIN operations o ON o.id = s.operation JOIN traces t ON t.n = s.trace
WHERE s.n > ? AND s.n <= ? AND r.service = ? AND s.status = ? ORDER BY s.n
"""

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
        found, last = [], last_span(database)
        rows = database.ask(_FAILED, (self._read_to, last, GATEWAY, ERROR))
        self._read_to = last  # looked at all of them, so that the others are not looked at again
        for number, trace, identifier, name, ended, detail in rows:
            if ended / 1e6 > until:
                self._read_to = number - 1
                break
            said, _, _, message, _ = _DETAIL.decode(detail)
            service = str(said.get("shoal.upstream", ""))
            if service and not database.one(_COUNTED, (trace, service, ERROR)):
                failure = Failure(
                    service=GATEWAY,
                    operation=name,
                    type=str(said.get("error.type", "error")),
                    message=f"no answer of {service} ({message})",
                    at=ended / 1000,
                    trace_id=identifier.hex(),
                )
                operation = str(said.get("shoal.operation", ""))
                found.append(Unanswered(service=service, operation=operation, failure=failure))
        return found
