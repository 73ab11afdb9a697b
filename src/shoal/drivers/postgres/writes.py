"""Turn the writes of a session into as few statements as PostgreSQL's rules allow. Pure.

The parts of one statement see the same state of the tables and run in no promised order. So one statement changes a
table in one way only and holds each of its rows once; what does not fit begins the next stage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import msgspec

from shoal.drivers.base import Mark, Message, Receipt, Row, Table
from shoal.drivers.postgres.sql import Kind, require, write

Statement = tuple[str, list[object]]

INLINE_ROWS = 16
"""Up to so many rows of a table travel in the composed statement, of which there is a text for every count."""

LARGEST_ROWS = 64
"""More rows are split into powers of two up to this, so that few texts serve every count."""

_TEMPLATES = {
    "answer": "insert into shoal.receipts (key, fingerprint, status, headers, body) values ({}, {}, {}, {}::jsonb, {})",
    "answer-lasting": """insert into shoal.receipts (key, fingerprint, status, headers, body, at)
        values ({}, {}, {}, {}::jsonb, {}, 'infinity')""",
    "accept": "insert into shoal.inbox (consumer, message_id, at) values ({}, {}, {})",
    "accept-many": """insert into shoal.inbox (consumer, message_id, at)
        select * from unnest({}::text[], {}::text[], {}::timestamptz[])""",
    "publish": "insert into shoal.outbox (id, subject, key, body, headers) values ({}, {}, {}, {}, {}::jsonb)",
    "publish-many": """insert into shoal.outbox (id, subject, key, body, headers)
        select * from unnest({}::text[], {}::text[], {}::text[], {}::bytea[], {}::jsonb[])""",
}

_GUARDS = ("answer", "answer-lasting", "accept", "accept-many")
"""What tells a repetition from something new."""

_json = msgspec.json.Encoder()


@dataclass(slots=True)
class _Group:
    """Rows of one table that are written in one way; by key."""

    table: Table
    kind: Kind
    columns: tuple[str, ...]
    rows: dict[object, Row]


_Change = tuple[Kind, Table, tuple[str, ...], Row]


@dataclass(frozen=True, slots=True)
class Call:
    """SQL of the service's own, to be run with each of some rows of arguments."""

    text: str
    rows: list[tuple[object, ...]]


_Part = tuple[str | tuple[Table, Kind, tuple[str, ...], int], list[object]]
"""One part of a statement: its shape, and the values of its parameters."""


class Keys:
    """The keys of a table that were written; they are only spelled out when somebody reads."""

    __slots__ = ("fresh", "spelled")

    def __init__(self) -> None:
        self.fresh: list[object] = []
        self.spelled: set[str] = set()

    def may_hold(self, key: object) -> bool:
        """Say whether `key` may be among them; any may be, when it is None."""
        self.spelled.update(map(_loose, self.fresh))
        self.fresh.clear()
        loose = "" if key is None else _loose(key)
        return not loose or not self.spelled.isdisjoint(("", loose))


class Writes:
    """The writes that a session holds back, in order."""

    __slots__ = ("answers", "before", "changes", "deletes", "marks", "messages", "touched")

    def __init__(self) -> None:
        self.before: list[Call | list[_Change]] = []
        """SQL of the service's own, and the changes that came before each; all come before `changes`."""
        self.changes: list[_Change] = []
        self.touched: dict[str, Keys] = {}
        self.deletes = False
        self.messages: list[Message] = []
        self.marks: list[Mark] = []
        self.answers: list[Receipt] = []

    def __bool__(self) -> bool:
        return bool(self.changes or self.before or self.messages or self.marks or self.answers)

    def put(self, table: Table, row: Row) -> None:
        """Write a row over the one with its key."""
        self._add("put", table, _columns(table, row), row)

    def insert(self, table: Table, row: Row) -> None:
        """Write a new row."""
        self._add("insert", table, _columns(table, row), row)

    def delete(self, table: Table, key: object) -> None:
        """Remove a row."""
        self.deletes = True
        self._add("delete", table, (table.key,), {table.key: key})

    def call(self, text: str, args: tuple[object, ...]) -> int:
        """Run SQL of the service's own; return how often in a row it now runs."""
        self._seal()
        last = self.before[-1] if self.before else None
        if isinstance(last, Call) and last.text == text:
            last.rows.append(args)
            return len(last.rows)
        self.before.append(Call(text, [args]))
        return 1

    def _seal(self) -> None:
        if self.changes:
            self.before.append(self.changes)
            self.changes = []

    def publish(self, message: Message) -> None:
        """Add a message to the outbox."""
        self.messages.append(message)

    def accept(self, mark: Mark) -> None:
        """Record a handled message."""
        self.marks.append(mark)

    def answer(self, receipt: Receipt) -> None:
        """Record the answer to a command."""
        self.answers.append(receipt)

    def visible(self) -> "Writes":
        """Split off what SQL of the service's own may see or follow: all but the marks, whose order says nothing."""
        rest = Writes()
        rest.before, self.before = self.before, rest.before
        rest.changes, self.changes = self.changes, rest.changes
        rest.touched, self.touched = self.touched, rest.touched
        rest.deletes, self.deletes = self.deletes, rest.deletes
        rest.messages, self.messages = self.messages, rest.messages
        rest.answers, self.answers = self.answers, rest.answers
        return rest

    def absorb(self, later: "Writes") -> None:
        """Take over writes that come after these."""
        if later.before:
            self._seal()
            self.before += later.before
        self.changes += later.changes
        self.messages += later.messages
        self.marks += later.marks
        self.answers += later.answers
        self.deletes = self.deletes or later.deletes
        for name, keys in later.touched.items():
            self.touched.setdefault(name, Keys()).fresh.extend((*keys.fresh, *keys.spelled))

    def touch(self, table: Table, key: object = None) -> bool:
        """Say whether a read of `table`, or of its row `key`, could see one of these writes."""
        if self.deletes or self.before:  # it may cascade to any table, or be SQL that does anything
            return True
        keys = self.touched.get(table.name)
        return keys is not None and keys.may_hold(key)

    def statements(self) -> list[Statement]:
        """Compose the statements, to be run in this order in one transaction, after what comes `before` them."""
        return _statements(self._records(), self.changes)

    def earlier(self) -> Iterator[Call | Statement]:
        """Compose what comes before."""
        for piece in self.before:
            if isinstance(piece, Call):
                yield piece
            else:
                yield from _statements([], piece)

    def _add(self, kind: Kind, table: Table, columns: tuple[str, ...], row: Row) -> None:
        keys = self.touched.get(table.name)
        if keys is None:
            keys = self.touched[table.name] = Keys()
        keys.fresh.append(row.get(table.key))
        self.changes.append((kind, table, columns, row))

    def _records(self) -> list[_Part]:
        parts: list[_Part] = []
        for r in self.answers:
            kind = "answer-lasting" if r.lasting else "answer"
            parts.append((kind, [r.key, r.fingerprint, r.status, _json.encode(r.headers).decode(), r.body]))
        marks, messages = self.marks, self.messages
        if len(marks) == 1:
            parts.append(("accept", [marks[0].consumer, marks[0].message_id, marks[0].at]))
        elif marks:
            columns = [[m.consumer for m in marks], [m.message_id for m in marks], [m.at for m in marks]]
            parts.append(("accept-many", [*columns]))
        if len(messages) == 1:
            m = messages[0]
            parts.append(("publish", [m.id, m.subject, m.key, m.body, _headers(m)]))
        elif messages:
            texts = [[m.id for m in messages], [m.subject for m in messages], [m.key for m in messages]]
            rest = [[m.body for m in messages], [_headers(m) for m in messages]]
            parts.append(("publish-many", [*texts, *rest]))
        return parts


def _statements(waiting: list[_Part], changes: Sequence[_Change]) -> list[Statement]:
    if len(changes) == 1:  # as most commands have it
        ((kind, table, columns, row),) = changes
        return _compose([*waiting, ((table, kind, columns, 1), [row[column] for column in columns])])
    statements: list[Statement] = []
    for stage in _stages(changes):
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


def _headers(message: Message) -> str | None:
    return _json.encode(message.headers).decode() if message.headers else None


def _stages(changes: Sequence[_Change]) -> list[dict[str, _Group]]:
    """Put every change into the current stage where that changes nothing, else begin the next."""
    stages: list[dict[str, _Group]] = [{}]
    for kind, table, columns, row in changes:
        identity = _identity(row.get(table.key))
        group = stages[-1].get(table.name)
        if group is not None and not _joins(group, kind, columns, identity):
            stages.append({})
            group = None
        if group is None:
            stages[-1][table.name] = _Group(table, kind, columns, {identity: row})
        else:
            group.rows[identity] = row
    return stages


def _joins(group: _Group, kind: Kind, columns: tuple[str, ...], identity: object) -> bool:
    if columns != group.columns:
        return False
    if identity not in group.rows:
        return kind == group.kind
    if kind == "put":  # the last one wins, also over an insert that was not sent yet
        return group.kind != "delete"
    return kind == group.kind == "delete"  # a second insert must reach the server, and fail


def _columns(table: Table, row: Row) -> tuple[str, ...]:
    if tuple(row) == table.columns:
        return table.columns
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
    shapes, values = [], []
    for shape, some in parts:
        shapes.append(shape)
        values += some
    return [(_text(tuple(shapes)), values)]


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
