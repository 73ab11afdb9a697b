"""Rule: an error that this run has not seen before."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from shoal.dashboard.notices.fingerprint import Failure, told
from shoal.dashboard.notices.ledger import Finding
from shoal.dashboard.notices.unanswered import last_span
from shoal.dashboard.store.reading.database import Database
from shoal.dashboard.store.records import ERROR
from shoal.dashboard.store.writing.edges import GATEWAY

QUIET = 600_000.0
"""Milliseconds without it after which an error counts as over."""

MANY = 1000
"""Different errors that are remembered; more are not told."""

_PORTION = 1000
_SHOWN = 200
"""Characters of a message that are told."""

_CALLING = (3, 4)
"""Kinds client and producer: who was called tells why it failed."""

_DETAIL = msgspec.json.Decoder(
    tuple[dict[str, Any], list[tuple[str, int, dict[str, Any]]], list[tuple[str, str]], str, str]
)


class Known(msgspec.Struct, kw_only=True):
    """One error that was seen."""

    first: Failure
    last: float
    """When it was seen last, in milliseconds since 1970."""
    count: int = 0
    over: bool = False
    """Whether it was quiet for so long that it is nothing new any more."""


class Failures:
    """The errors of a run, each told from its first time until it is quiet."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._read_to = 0

    def read(self, database: Database) -> None:
        """Read on."""
        until = last_span(database)
        while rows := _rows(database, self._read_to, until):
            self._read_to = rows[-1][0]
            self.note(filter(None, map(_failure, rows)))
        self._read_to = until

    def note(self, failures: Iterable[Failure]) -> None:
        """Count errors."""
        for failure in failures:
            print_ = failure.fingerprint
            known = self._known.get(print_)
            if known is None:
                if len(self._known) >= MANY:
                    continue
                known = self._known[print_] = Known(first=failure, last=failure.at)
            if failure.at < known.first.at:
                known.first = failure
            known.last, known.count = max(known.last, failure.at), known.count + 1

    def findings(self, now: float) -> Iterator[Finding]:
        """Find the errors that are new and go on; `now` in milliseconds since 1970."""
        for print_, known in self._known.items():
            known.over = known.over or now - known.last > QUIET
            if not known.over:
                yield _finding(print_, known)


def _finding(print_: str, known: Known) -> Finding:
    first = known.first
    times = "once" if known.count == 1 else f"{known.count} times"
    what = f"{first.type}: {first.message[:_SHOWN]}" if first.message else first.type
    where = f" in {first.frame}" if first.frame else ""
    return Finding(
        rule="error",
        key=print_,
        service=first.service,
        severity="note",
        since=first.at,
        text=f"{first.service} failed in a new way, {times}: {what} ({first.operation}{where})",
        traces={"service": first.service, "operation": first.operation, "errors": "true", "example": first.trace_id},
    )


def _rows(database: Database, above: int, until: int) -> list[tuple[Any, ...]]:
    ask = (
        "SELECT s.n, r.service, o.name, o.kind, s.started + s.took, t.id, s.detail FROM spans s "
        "JOIN resources r ON r.id = s.resource JOIN operations o ON o.id = s.operation JOIN traces t ON t.n = s.trace "
        "WHERE s.n > ? AND s.n <= ? AND s.status = ? ORDER BY s.n LIMIT ?"
    )
    return database.ask(ask, (above, until, ERROR, _PORTION))


def _failure(row: tuple[Any, ...]) -> Failure | None:
    """Read what a span tells; nothing where another tells more of the same. The gateway's come from `unanswered`."""
    _, service, name, kind, ended, trace, detail = row
    attributes, events, _, message, _ = _DETAIL.decode(detail)
    if kind in _CALLING or service == GATEWAY:
        return None
    sort, text, frame = told(attributes, events, message)
    return Failure(
        service=service, operation=name, type=sort, message=text, frame=frame, at=ended / 1000, trace_id=trace.hex()
    )
