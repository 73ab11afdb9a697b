"""Turn the writes of a session into as few statements as PostgreSQL's rules allow. Pure.

The parts of one statement see the same state of the tables and run in no promised order. So one statement changes a
table in one way only and holds each of its rows once; what does not fit begins the next stage.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import msgspec

from shoal.drivers.base import Message, Receipt, Row, Table
from shoal.drivers.postgres.sql import Kind, require, write

Statement = tuple[str, list[object]]

INLINE_ROWS = 16
"""Up to so many rows of a table travel in the composed statement, of which there is a text for every count."""

LARGEST_ROWS = 64
"""More rows are split into powers of two up to this, so that few texts serve every count."""

_TEMPLATES = {
    "answer": "insert into shoal.receipts (key, fingerprint, status, headers, body) values ({}, {}, {}, {}::jsonb, {})",
    "accept": "insert into shoal.inbox (consumer, message_id) values ({}, {})",
    "accept-many": "insert into shoal.inbox (consumer, message_id) select * from unnest({}::text[], {}::text[])",
    "publish": "insert into shoal.outbox (id, subject, body, headers) values ({}, {}, {}, {}::jsonb)",
    "publish-many": """insert into shoal.outbox (id, subject, body, headers)
        select * from unnest({}::text[], {}::text[], {}::bytea[], {}::jsonb[])""",
}

_GUARDS = ("answer", "accept", "accept-many")
"""What tells a repetition from something new."""

_json = msgspec.json.Encoder()


@dataclass(slots=True)
class _Group:
    """Rows of one table that are written in one way; by key."""

    table: Table
    kind: Kind
    columns: tuple[str, ...]
    rows: dict[object, Row]


_Part = tuple[str | tuple[Table, Kind, tuple[str, ...], int], list[object]]
"""One part of a statement: its shape, and the values of its parameters."""


class Writes:
    """The writes that a session holds back, in order."""

    def __init__(self) -> None:
        self._stages: list[dict[str, _Group]] = [{}]
        self._touched: dict[str, set[str]] = {}
        self._deletes = False
        self._messages: list[Message] = []
        self._accepted: list[tuple[str, str]] = []
        self._answers: list[Receipt] = []

    def __bool__(self) -> bool:
        return bool(self._touched or self._messages or self._accepted or self._answers)

    def put(self, table: Table, row: Row) -> None:
        """Write a row over the one with its key."""
        self._add("put", table, _columns(table, row), row)

    def insert(self, table: Table, row: Row) -> None:
        """Write a new row."""
        self._add("insert", table, _columns(table, row), row)

    def delete(self, table: Table, key: object) -> None:
        """Remove a row."""
        self._deletes = True
        self._add("delete", table, (table.key,), {table.key: key})

    def publish(self, message: Message) -> None:
        """Add a message to the outbox."""
        self._messages.append(message)

    def accept(self, consumer: str, message_id: str) -> None:
        """Record a handled message."""
        self._accepted.append((consumer, message_id))

    def answer(self, receipt: Receipt) -> None:
        """Record the answer to a command."""
        self._answers.append(receipt)

    def touch(self, table: Table, key: object = None) -> bool:
        """Say whether a read of `table`, or of its row `key`, could see one of these writes."""
        if self._deletes:  # it may cascade to any table
            return True
        keys = self._touched.get(table.name)
        loose = "" if key is None else _loose(key)
        return keys is not None and (not loose or not keys.isdisjoint(("", loose)))

    def statements(self) -> list[Statement]:
        """Compose the statements, to be run in this order in one transaction."""
        statements: list[Statement] = []
        waiting = [*self._records()]
        for stage in self._stages:
            for group in stage.values():
                rows = [*group.rows.values()]
                if len(rows) <= INLINE_ROWS:
                    waiting.append(_part(group, rows))
                    continue
                statements += _compose(waiting)
                statements += [s for some in _powers(rows) for s in _compose([_part(group, some)])]
                waiting = []
            statements += _compose(waiting)
            waiting = []
        return statements

    def _add(self, kind: Kind, table: Table, columns: tuple[str, ...], row: Row) -> None:
        """Join the current stage where that changes nothing, else begin the next."""
        key = row.get(table.key)
        self._touched.setdefault(table.name, set()).add(_loose(key))
        identity = _identity(key)
        group = self._stages[-1].get(table.name)
        if group is not None and not _joins(group, kind, columns, identity):
            self._stages.append({})
            group = None
        if group is None:
            self._stages[-1][table.name] = _Group(table, kind, columns, {identity: row})
        else:
            group.rows[identity] = row

    def _records(self) -> Iterator[_Part]:
        for r in self._answers:
            yield "answer", [r.key, r.fingerprint, r.status, _json.encode(r.headers).decode(), r.body]
        if len(self._accepted) == 1:
            yield "accept", [*self._accepted[0]]
        elif self._accepted:
            yield "accept-many", [[a for a, _ in self._accepted], [b for _, b in self._accepted]]
        if len(self._messages) == 1:
            m = self._messages[0]
            yield "publish", [m.id, m.subject, m.body, _json.encode(m.headers).decode()]
        elif self._messages:
            ms = self._messages
            headers = [_json.encode(m.headers).decode() for m in ms]
            yield "publish-many", [[m.id for m in ms], [m.subject for m in ms], [m.body for m in ms], headers]


def _joins(group: _Group, kind: Kind, columns: tuple[str, ...], identity: object) -> bool:
    if columns != group.columns:
        return False
    if identity not in group.rows:
        return kind == group.kind
    if kind == "put":  # the last one wins, also over an insert that was not sent yet
        return group.kind != "delete"
    return kind == group.kind == "delete"  # a second insert must reach the server, and fail


def _columns(table: Table, row: Row) -> tuple[str, ...]:
    columns = table.columns if len(row) == len(table.columns) else tuple(c for c in table.columns if c in row)
    if len(columns) != len(row) or any(column not in row for column in columns):
        for column in row:
            require(table, column)
    return columns


def _identity(key: object) -> object:
    """Make equal what PostgreSQL compares as equal; rows whose key the server chooses are all different."""
    if key is None:
        return object()
    return str(key) if isinstance(key, UUID) else key


def _loose(key: object) -> str:
    """Reduce a key to what may not differ between equal keys; empty when that is unknown."""
    return str(key).casefold() if isinstance(key, (str, int, UUID)) else ""


def _powers(rows: list[Row]) -> Iterator[list[Row]]:
    size = LARGEST_ROWS
    while rows:
        while size > len(rows):
            size //= 2
        yield rows[:size]
        rows = rows[size:]


def _part(group: _Group, rows: list[Row]) -> _Part:
    values = [row[column] for row in rows for column in group.columns]
    return (group.table, group.kind, group.columns, len(rows)), values


def _compose(parts: list[_Part]) -> list[Statement]:
    if not parts:
        return []
    if parts[0][0] in _GUARDS:
        # The main statement runs before its WITH parts (PostgreSQL, ExecPostprocessPlan): a repetition must meet the
        # mark of the first time, and not a row that the first time made.
        parts = [*parts[1:], parts[0]]
    return [(_text(tuple(shape for shape, _ in parts)), [value for _, values in parts for value in values])]


@lru_cache(maxsize=2048)
def _text(shapes: tuple[str | tuple[Table, Kind, tuple[str, ...], int], ...]) -> str:
    """Join the parts into one data-modifying statement (PostgreSQL documentation, section 7.8.4)."""
    texts = []
    first = 1
    for shape in shapes:
        if isinstance(shape, str):
            template = _TEMPLATES[shape]
            used = template.count("{}")
            texts.append(template.format(*(f"${first + i}" for i in range(used))))
        else:
            table, kind, columns, rows = shape
            used = rows * len(columns)
            texts.append(write(table, kind, columns, rows, first))
        first += used
    *before, last = texts
    named = ", ".join(f"w{number} as ({text})" for number, text in enumerate(before))
    return f"with {named} {last}" if before else last
