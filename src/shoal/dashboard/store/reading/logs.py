"""Find logs, newest first, or those of a trace."""

from typing import Any

import msgspec

from shoal.dashboard.store.reading.database import Database, Unanswerable, escaped, micro, numbers, page, places

LEVELS = {"trace": 1, "debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
"""Level → the least severity number that has it (``logs.proto``)."""

_BAD = LEVELS["warning"]


class LogQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for.

    Args:
        services: Of these services, or replicas; of all when empty.
        level: Of this level or above.
        text: Part of the message.
        trace_id: Of this trace, or of those that begin so.
        since: At the earliest.
        until: At the latest.
        cursor: ``next`` of the page before.
        limit: Most items of a page, up to 1000.
    """

    services: list[str] = []
    level: str = ""
    text: str = ""
    trace_id: str = ""
    since: float | None = None
    until: float | None = None
    cursor: str = ""
    limit: int = 200


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line."""

    id: int
    at: float
    service: str
    replica: str
    level: str
    message: str
    trace_id: str
    span_id: str
    attributes: msgspec.Raw


class Logs(msgspec.Struct, frozen=True, kw_only=True):
    """A page of lines."""

    items: list[LogLine]
    next: str | None


COLUMNS = "l.n, l.at, r.service, r.replica, l.severity, l.message, l.trace, l.span, l.attributes"


def logs(database: Database, query: LogQuery) -> Logs:
    """Find a page of lines.

    Raises:
        Unanswerable: The cursor, the level or the trace's identifier is malformed.
    """
    words, values = _conditions(query)
    limit = page(query.limit)
    ask = (
        f"SELECT {COLUMNS} FROM logs l JOIN resources r ON r.id = l.resource WHERE {' AND '.join(words)} "  # noqa: S608 - ours
        "ORDER BY l.at DESC, l.n DESC LIMIT ?"
    )
    rows = database.ask(ask, (*values, limit + 1))
    following = f"{rows[limit - 1][1]}-{rows[limit - 1][0]}" if len(rows) > limit else None
    return Logs(items=[line(row) for row in rows[:limit]], next=following)


def line(row: tuple[Any, ...]) -> LogLine:
    """Turn a row of `COLUMNS` into a line."""
    number, at, service, replica, severity, message, trace, span, attributes = row
    return LogLine(
        id=number, at=at / 1000, service=service, replica=replica, level=level(severity), message=message,
        trace_id=trace.hex() if trace else "", span_id=f"{span & 0xFFFFFFFFFFFFFFFF:016x}" if span else "",
        attributes=msgspec.Raw(attributes),
    )  # fmt: skip


def level(severity: int) -> str:
    """Name the level of a severity number; what nobody said is ``info``."""
    return next((name for name, least in reversed(LEVELS.items()) if severity >= least), "info")


def _conditions(query: LogQuery) -> tuple[list[str], list[object]]:
    words: list[str] = ["1"]
    values: list[object] = []
    if query.services:
        marks = places(len(query.services))
        words.append(f"l.resource IN (SELECT id FROM resources WHERE service IN ({marks}) OR replica IN ({marks}))")  # noqa: S608
        values += [*query.services, *query.services]
    if query.level:
        least = LEVELS.get(query.level)
        if least is None:
            raise Unanswerable(f"there is no level {query.level!r}", hint=f"one of: {', '.join(LEVELS)}")
        words.append(f"l.severity >= {least}")
        words += [f"l.severity >= {_BAD}"] * (least > _BAD)  # so that the index of bad ones is used
    if query.text:
        words.append("l.message LIKE ? ESCAPE '!'")
        values.append(escaped(query.text))
    if query.trace_id:
        words.append("l.trace BETWEEN ? AND ?")
        values += bounds(query.trace_id)
    for word, bound in (("l.at >= ?", query.since), ("l.at <= ?", query.until)):
        if bound is not None:
            words.append(word)
            values.append(micro(bound))
    if query.cursor:
        before = numbers(query.cursor, 2)
        if before is None:
            raise Unanswerable(f"{query.cursor!r} is no cursor of this list", hint="begin without one")
        words.append("(l.at, l.n) < (?, ?)")
        values += before
    return words, values


def bounds(trace_id: str) -> tuple[bytes, bytes]:
    """Give the first and the last identifier that begins so; raises `Unanswerable` for what is none."""
    text = trace_id.strip().lower()
    if not text or len(text) > 32 or any(letter not in "0123456789abcdef" for letter in text):
        raise Unanswerable(
            f"{trace_id!r} is no identifier of a trace", hint="32 hexadecimal digits, or the first of them"
        )
    return bytes.fromhex(text.ljust(32, "0")), bytes.fromhex(text.ljust(32, "f"))
