"""Commits as SQL: one statement where it can be. Pure.

The parts of the statement run in the order in which the last line asks for their counts: first the locks are looked
at, then what goes makes room for what comes, table by table and key by key, so that two commits never wait for each
other; messages are numbered last.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from shoal.drivers.base import Table
from shoal.drivers.base.documents.engine import Hold, Write
from shoal.drivers.postgres.documents import layout, values
from shoal.drivers.postgres.documents.layout import LOCKS, place

MOST = 1_000
"""Documents that one statement changes."""

_LARGEST = 1 << 63

Statement = tuple[str, list[object]]
"""SQL, and the values of its parameters."""

Form = Literal["delete", "change", "put", "insert"]

_RANKS: dict[Form, int] = {"delete": 0, "change": 1, "put": 2, "insert": 3}


class Shape(msgspec.Struct, frozen=True):
    """What a part of a statement looks like, whatever it is about."""

    form: Literal["free", "keep", "delete", "change", "put", "insert", "number"]
    name: str = ""
    """Of the table, or of the counter."""
    several: bool = False
    versions: bool = False
    """Whether each document must have the version that is given for it."""


Part = tuple[Shape, list[object]]


class _Group:
    """Writes of one kind to one table."""

    def __init__(self, table: Table, form: Form, *, versions: bool, gone: tuple[str, ...]) -> None:
        self.table, self.form, self.versions, self.gone = table, form, versions, gone
        self.rows: dict[str, Write] = {}

    @property
    def rank(self) -> tuple[bool, str, int, bool, tuple[str, ...]]:
        """Where it stands: what tells a repetition comes first."""
        name = self.table.name
        return not name.startswith("shoal."), name, _RANKS[self.form], self.versions, self.gone

    def part(self, version: int) -> Part:
        """Compose it."""
        rows = sorted(self.rows.items())
        several = len(rows) > 1
        keys, some = [key for key, _ in rows], [write for _, write in rows]
        found: list[object] = [keys if several else keys[0]]
        if self.form != "delete":
            bodies = [values.body(self.table, write.row or {}) for write in some]
            found += [version, bodies if several else bodies[0]]
        if self.versions:
            known = [_version(write.version) for write in some]
            found.append(known if several else known[0])
        if self.form == "change":
            found.append([*self.gone])
        return Shape(self.form, self.table.name, several, self.versions), found


def together(writes: Sequence[Write]) -> list[_Group] | None:
    """Sort writes into groups that one statement does, or say that it takes several."""
    if len(writes) > MOST:
        return None
    groups: dict[object, _Group] = {}
    final: dict[tuple[str, str], Write] = {}
    for write in writes:
        place_of = write.table.name, values.key(write.key)
        before = final.pop(place_of, None)
        if before is not None:
            if _form(before) != "change" or _form(write) != "put" or write.version:
                return None
            write = msgspec.structs.replace(write, version=before.version)  # noqa: PLW2901 - it gave room to others
        final[place_of] = write
    for (_, key), write in final.items():
        known = _signature(write)
        group = groups.get(known)
        if group is None:
            group = groups[known] = _group(write)
        group.rows[key] = write
    return sorted(groups.values(), key=lambda group: group.rank)


def in_order(writes: Sequence[Write]) -> Iterator[_Group]:
    """Sort writes into groups that follow each other as the writes do."""
    last: _Group | None = None
    for write in writes:
        key = values.key(write.key)
        if last is None or len(last.rows) >= MOST or key in last.rows or _signature(write) != _signature_of(last):
            if last is not None:
                yield last
            last = _group(write)
        last.rows[key] = write
    if last is not None:
        yield last


def holding(hold: Hold | None) -> list[Part]:
    """Demand locks."""
    parts: list[Part] = []
    if hold is not None and hold.freed:
        several = len(hold.freed) > 1
        names = sorted(hold.freed) if several else hold.freed[0]
        parts.append((Shape("free", several=several), [hold.owner, names]))
    if hold is not None and hold.kept:
        parts.append((Shape("keep"), [hold.owner, hold.kept]))
    return parts


def numbering(counter: str, writes: Sequence[Write], version: int) -> list[Part]:
    """Give each of some new documents its number, in their order, as its key."""
    bodies = [values.body(write.table, write.row or {}) for write in writes]
    several = len(bodies) > 1
    name = f"{writes[0].table.name}\n{counter}"
    return [(Shape("number", name, several), [version, bodies if several else bodies[0]])]


def statement(parts: Iterable[Part]) -> Statement:
    """Join parts."""
    shapes, found = [], []
    for shape, some in parts:
        counted = [*some, _count(some)] if _demands(shape) and shape.several else some
        shapes.append(shape)
        found += counted
    return _text(tuple(shapes)), found


def _count(some: list[object]) -> int:
    """Count what a part is about."""
    return len(next(one for one in some if isinstance(one, list)))


def _demands(shape: Shape) -> bool:
    return shape.versions or shape.form in {"free", "keep"}


def _version(written: str) -> int:
    """Read a version; what is none is no document's."""
    found = int(written) if written.isascii() and written.isdecimal() else -1
    return found if found < _LARGEST else -1


def _form(write: Write) -> Form:
    return "delete" if write.row is None else write.how


def _signature(write: Write) -> tuple[str, Form, bool, tuple[str, ...]]:
    return write.table.name, _form(write), bool(write.version), _gone(write)


def _signature_of(group: _Group) -> tuple[str, Form, bool, tuple[str, ...]]:
    return group.table.name, group.form, group.versions, group.gone


def _group(write: Write) -> _Group:
    return _Group(write.table, _form(write), versions=bool(write.version), gone=_gone(write))


def _gone(write: Write) -> tuple[str, ...]:
    """Name the columns that a change empties."""
    if write.how != "change" or write.row is None:
        return ()
    return tuple(sorted(name for name, found in write.row.items() if found is None))


@lru_cache(maxsize=2048)
def _text(shapes: tuple[Shape, ...]) -> str:
    """Write the statement; one part that demands nothing stands alone."""
    if len(shapes) == 1 and not _demands(shapes[0]):
        return _part(shapes[0], 1)[0]
    parts, asked, first = [], [], 1
    for number, shape in enumerate(shapes):
        text, used = _part(shape, first)
        first += used
        counted = f"(select count(*) from w{number})"  # noqa: S608
        if _demands(shape):
            least = f"${first}::bigint" if shape.several else "1"
            first += shape.several
            state, what = (layout.CHANGED, shape.name) if shape.versions else (layout.LOST, "")
            said = what.replace("'", "''")
            counted = f"case when {counted} < {least} then documents.refuse('{state}', '{said}') end"
        parts.append(f"w{number} as ({text}{'' if shape.form == 'keep' else ' returning 1'})")
        asked.append(counted)
    return f"with {', '.join(parts)} select {', '.join(asked)}"


def _part(shape: Shape, first: int) -> tuple[str, int]:
    """Write one part, with parameters from `first`; say how many it takes."""
    a, b, c, d, e = (f"${first + number}" for number in range(5))
    if shape.form in {"free", "keep"}:
        return _lock(shape, a, b), 2
    if shape.form == "number":
        return _numbered(shape, a, b), 2
    name = place(shape.name)
    if shape.form == "delete":
        return _delete(shape, name, a, b), 1 + shape.versions
    given = f"unnest({a}::text[], {c}::jsonb[]" if shape.several else f"(values ({a}::text, {c}::jsonb"
    columns, used = "key, body", 3
    if shape.versions:
        given += f", {d}::bigint[]" if shape.several else f", {d}::bigint"
        columns, used = "key, body, was", 4
    rows = f"{given}) as n ({columns})" if shape.several else f"{given})) as n ({columns})"
    if shape.form == "change" or shape.versions:
        gone = e if shape.versions else d
        changing = shape.form == "change"
        fresh = f"(t.body || n.body) - {gone}::text[]" if changing else "n.body"
        where = "t.key = n.key and t.version = n.was" if shape.versions else "t.key = n.key"
        text = f"update {name} as t set version = {b}, body = {fresh} from {rows} where {where}"  # noqa: S608
        return text, used + changing
    source = f"select key, {b}::bigint, body from {rows}" if shape.several else f"values ({a}, {b}, {c})"  # noqa: S608
    insert = f"insert into {name} (key, version, body) {source}"
    replace = " on conflict (key) do update set version = excluded.version, body = excluded.body"
    return insert + (replace if shape.form == "put" else ""), used


def _lock(shape: Shape, owner: str, names: str) -> str:
    if shape.form == "keep":  # held, so that whoever would take it waits for us
        return f"select 1 from {LOCKS} where owner = {owner} and name = {names} for no key update"  # noqa: S608
    if not shape.several:
        return f"delete from {LOCKS} where owner = {owner} and name = {names}"  # noqa: S608
    mine = f"select name from {LOCKS} where owner = {owner} and name = any({names}) order by name for update"  # noqa: S608
    return f"delete from {LOCKS} where name in ({mine})"  # noqa: S608


def _delete(shape: Shape, name: str, keys: str, was: str) -> str:
    if not shape.versions:
        return f"delete from {name} where key = {f'any({keys})' if shape.several else keys}"  # noqa: S608
    if not shape.several:
        return f"delete from {name} where key = {keys} and version = {was}"  # noqa: S608
    given = f"unnest({keys}::text[], {was}::bigint[]) as n (key, was)"
    return f"delete from {name} as t using {given} where t.key = n.key and t.version = n.was"  # noqa: S608


def _numbered(shape: Shape, version: str, bodies: str) -> str:
    """Write what `values.key` makes of a whole number."""
    table, counter = shape.name.split("\n")
    drawn = f"'#i1' || lpad(nextval('{_sequence(counter)}')::text, 19, '0')"
    given = f"unnest({bodies}::jsonb[]) as n (body)" if shape.several else f"(values ({bodies}::jsonb)) as n (body)"
    source = f"select {drawn}, {version}::bigint, body from {given}"  # noqa: S608
    return f"insert into {place(table)} (key, version, body) {source}"


def _sequence(counter: str) -> str:
    name, _ = layout.counter(counter)
    return f"{layout.SCHEMA}.{layout.quoted(name)}".replace("'", "''")
