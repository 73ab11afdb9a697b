"""Find traces, newest first.

A trace's number is the order in which it came first, and pages go down these numbers. Each wish is either a mark
that the trace must have or a bound of its own row. Where one of the marks is rare, its traces are looked at one by
one; otherwise the newest traces are looked at until the page is full.
"""

import msgspec

from shoal.dashboard.store.reading.database import Database, Unanswerable, escaped, micro, numbers, page, places
from shoal.dashboard.store.records import KINDS
from shoal.dashboard.store.schema import mark

RARE = 4000
"""Traces that are looked at one by one."""

_NAMES = 300
"""Operations that a text may mean at once."""


class TraceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; what is left out does not matter.

    Args:
        service: A service that took part.
        operation: Name of a span.
        errors: True for traces with an error, False for those without.
        asked: Only traces that began with a request or an event, or that failed: no other work in the background.
        min_ms: Shortest duration of the whole trace.
        max_ms: Longest.
        text: Part of the name of a span, the value of an attribute, or the beginning of the trace's identifier.
        attribute: ``key=value`` of a span.
        since: When it began, at the earliest.
        until: At the latest.
        cursor: ``next`` of the page before.
        limit: Most items of a page, up to 1000.
    """

    service: str = ""
    operation: str = ""
    errors: bool | None = None
    asked: bool = False
    min_ms: float | None = None
    max_ms: float | None = None
    text: str = ""
    attribute: str = ""
    since: float | None = None
    until: float | None = None
    cursor: str = ""
    limit: int = 50


class TraceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One trace in a list: its root's service and name, and what took part."""

    trace_id: str
    service: str
    name: str
    kind: str
    started: float
    ms: float
    spans: int
    errors: int
    services: list[str]
    status: str
    """``ok`` or ``error``."""


class Traces(msgspec.Struct, frozen=True, kw_only=True):
    """A page of traces."""

    items: list[TraceLine]
    next: str | None


class _Conditions:
    """What SQL is to demand of the row ``t``."""

    def __init__(self) -> None:
        self.marks: list[list[int]] = []
        """Of each list, one mark must be there."""
        self.words: list[str] = []
        self.values: list[object] = []
        self.shortest: int | None = None
        """Microseconds."""

    def add(self, word: str, *values: object) -> None:
        self.words.append(word)
        self.values += values


def traces(database: Database, query: TraceQuery) -> Traces:
    """Find a page of traces.

    Raises:
        Unanswerable: The cursor or the attribute is malformed.
    """
    wanted = _conditions(database, query)
    if wanted is None:
        return Traces(items=[], next=None)
    limit = page(query.limit)
    rows = _found(database, wanted, limit + 1)
    shown = rows[:limit]
    following = str(shown[-1][0]) if len(rows) > limit else None
    return Traces(items=[_line(row) for row in sorted(shown, key=lambda row: -row[2])], next=following)


def _conditions(database: Database, query: TraceQuery) -> _Conditions | None:
    """Turn the wishes into conditions; None when nothing can fulfil them."""
    wanted = _Conditions()
    if query.operation:
        name = ("operation", query.service, query.operation) if query.service else ("name", query.operation)
        wanted.marks.append([mark(*name)])
    elif query.service:
        wanted.marks.append([mark("service", query.service)])
    _ended(query, wanted)
    if query.attribute:
        key, separator, value = query.attribute.partition("=")
        if not separator:
            raise Unanswerable(f"the attribute {query.attribute!r} is not key=value", hint="such as http.route=/orders")
        wanted.marks.append([mark("attribute", key.strip(), value.strip())])
    if query.text and not _text(database, query.text.strip(), wanted):
        return None
    if query.min_ms is not None:
        wanted.shortest = micro(query.min_ms)
        wanted.add("t.took >= ?", wanted.shortest)
    if query.max_ms is not None:
        wanted.add("t.took <= ?", micro(query.max_ms))
    return wanted if _between(database, query, wanted) else None


def _ended(query: TraceQuery, wanted: _Conditions) -> None:
    """Demand how it ended, and that somebody asked for it."""
    if query.errors:
        wanted.marks.append([mark("error", *([query.service] if query.service else []))])
    elif query.errors is False:
        wanted.add("t.errors = 0")
    if query.asked:
        wanted.add("(t.errors > 0 OR NOT t.rooted OR o.kind IS NOT ?)", KINDS.index("internal"))


def _between(database: Database, query: TraceQuery, wanted: _Conditions) -> bool:
    """Bound the time, and with it the numbers; say whether anything is there."""
    if query.cursor:
        before = numbers(query.cursor, 1)
        if before is None:
            raise Unanswerable(f"{query.cursor!r} is no cursor of this list", hint="begin without one")
        wanted.add("t.n < ?", *before)
    if query.since is None and query.until is None:
        return True
    bounds = (
        micro(query.since if query.since is not None else 0),
        micro(query.until if query.until is not None else 9e15),
    )
    row = database.one("SELECT min(n), max(n) FROM traces WHERE started BETWEEN ? AND ?", bounds)
    if row is None or row[0] is None:
        return False
    wanted.add("t.started BETWEEN ? AND ?", *bounds)
    wanted.add("t.n BETWEEN ? AND ?", *row)
    return True


def _text(database: Database, text: str, wanted: _Conditions) -> bool:
    """Demand a text; False when nothing has it."""
    identifier = text.lower()
    if len(identifier) >= 8 and len(identifier) <= 32 and all(letter in "0123456789abcdef" for letter in identifier):
        low, high = bytes.fromhex(identifier.ljust(32, "0")), bytes.fromhex(identifier.ljust(32, "f"))
        if database.one("SELECT 1 FROM traces WHERE id BETWEEN ? AND ?", (low, high)):
            wanted.add("t.id BETWEEN ? AND ?", low, high)
            return True
    ask = "SELECT DISTINCT name FROM operations WHERE name LIKE ? ESCAPE '!' LIMIT ?"
    marks = [mark("name", name) for (name,) in database.ask(ask, (escaped(text), _NAMES))]
    keys = [mark("attribute", key, text) for (key,) in database.ask("SELECT key FROM keys")]
    marks += [what for what in keys if database.one("SELECT 1 FROM marks WHERE what = ? LIMIT 1", (what,))]
    if marks:
        wanted.marks.append(marks)
    return bool(marks)


_Row = tuple[int, bytes, int, int, int, int, str, str, str, int]


def _found(database: Database, wanted: _Conditions, limit: int) -> list[_Row]:
    source, number, values = _source(database, wanted)
    words = " AND ".join(["1", *wanted.words]).replace("t.n ", f"{number} ")
    ask = (
        "SELECT t.n, t.id, t.started, t.took, t.spans, t.errors, t.services, o.service, o.name, o.kind "  # noqa: S608 - ours
        f"FROM {source} LEFT JOIN operations o ON o.id = t.root WHERE {words} ORDER BY {number} DESC LIMIT ?"
    )
    return database.ask(ask, (*values, *wanted.values, limit))


def _source(database: Database, wanted: _Conditions) -> tuple[str, str, list[object]]:
    """Choose what is walked: the traces of the rarest wish, or the newest of all; and what their number is called."""
    counted = [(_count(database, some), some) for some in wanted.marks]
    counted.sort()
    source, number, values = "traces t", "t.n", list[object]()
    if counted and counted[0][0] < RARE:
        some = counted.pop(0)[1]
        within = f"(SELECT DISTINCT trace FROM marks WHERE what IN ({places(len(some))}))"  # noqa: S608
        source, number, values = f"{within} m CROSS JOIN traces t ON t.n = m.trace", "m.trace", [*some]
    elif counted and len(counted[0][1]) == 1:
        some = counted.pop(0)[1]
        source, number, values = "marks m CROSS JOIN traces t ON t.n = m.trace AND m.what = ?", "m.trace", [*some]
    elif _rare(database, wanted):
        source = "traces t INDEXED BY traces_took"
    for _, some in counted:
        holding = f"SELECT 1 FROM marks e WHERE e.what IN ({places(len(some))}) AND e.trace = t.n"  # noqa: S608
        wanted.add(f"EXISTS ({holding})", *some)
    return source, number, values


def _rare(database: Database, wanted: _Conditions) -> bool:
    """Say whether few traces last so long: they are found by their durations."""
    if wanted.shortest is None:
        return False
    ask = "SELECT count(*) FROM (SELECT 1 FROM traces WHERE took >= ? LIMIT ?)"
    row = database.one(ask, (wanted.shortest, RARE))
    return row is not None and row[0] < RARE


def _count(database: Database, some: list[int]) -> int:
    """Count the traces of marks, up to `RARE`."""
    ask = f"SELECT count(*) FROM (SELECT 1 FROM marks WHERE what IN ({places(len(some))}) LIMIT {RARE})"  # noqa: S608
    row = database.one(ask, some)
    return row[0] if row else 0


def _line(row: _Row) -> TraceLine:
    _, identifier, started, took, spans, errors, services, service, name, kind = row
    return TraceLine(
        trace_id=identifier.hex(), service=service or "", name=name or "", kind=KINDS[kind or 0],
        started=started / 1000, ms=took / 1000, spans=spans, errors=errors,
        services=msgspec.json.decode(services, type=list[str]), status="error" if errors else "ok",
    )  # fmt: skip
