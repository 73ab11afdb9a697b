"""What migrations make of the tables of a store: columns, and by what rows are found."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from shoal.check.sql.migrations import Migration
from shoal.check.sql.tokens import Token, Tokens, begins, has, inside, named, parts, without

_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "check", "foreign", "exclude", "like"})
"""First words of what stands among columns and is none."""


@dataclass
class Table:
    """One table, as far as migrations say."""

    name: str
    columns: dict[str, str] = field(default_factory=dict)
    """Column → its type, in small letters: ``varchar(40)``."""
    indexes: list[tuple[str, ...]] = field(default_factory=list)
    """Columns of each index, in order, up to the first expression; those of keys and unique columns included."""
    filled: set[str] = field(default_factory=set)
    """Columns of which a constraint says that they are never null."""

    def finds(self, columns: set[str]) -> bool:
        """Tell whether an index begins with one of these columns."""
        return any(index and index[0] in columns for index in self.indexes)


class Tables(dict[str, Table]):
    """Tables by name, changed by one statement after the other."""

    @classmethod
    def of(cls, migrations: Iterable[Migration]) -> Self:
        """Read what migrations make, one after the other."""
        found = cls()
        for migration in migrations:
            for said in migration.statements:
                found.apply(said)
        return found

    def apply(self, said: Tokens) -> None:
        """Do what a statement does; what is neither a table's nor an index's is passed over."""
        if (found := created(said)) is not None:
            self.setdefault(found.name, found)
        elif (changed := altered(said)) is not None:
            name, actions = changed
            for action in actions if name in self else ():
                self._alter(self[name], action)
        elif (index := indexed(said)) is not None and index[0] in self:
            self[index[0]].indexes.append(index[1])
        elif begins(said, "drop", "table"):
            for part in parts(without(said[2:], "if", "exists")):
                self.pop(named(part)[0], None)

    def _alter(self, table: Table, action: Tokens) -> None:
        if (column := added(action)) is not None:
            _column(table, column)
        elif begins(action, "add"):
            _constraint(table, action[1:])
        elif begins(action, "rename", "to"):
            self[action[2].text] = self.pop(table.name)
            table.name = action[2].text
        elif (moved := renamed(action)) is not None:
            old, new = moved
            table.columns = {new if name == old else name: kind for name, kind in table.columns.items()}
            table.indexes = [tuple(new if name == old else name for name in index) for index in table.indexes]
        elif dropped := dropped_column(action):
            table.columns.pop(dropped, None)
            table.indexes = [index for index in table.indexes if dropped not in index]


def mentioned(said: Tokens) -> Iterator[tuple[str, Token]]:
    """List the tables that a statement names, and where; what it makes up itself (``WITH x AS``) is none."""
    after = {"from", "join", "into", "update", "references", "table"} | ({"on"} if indexed(said) else set())
    texts = [token.text for token in said]
    own = {name for name, *rest in zip(texts, texts[1:], texts[2:], strict=False) if rest == ["as", "("]}
    for position, token in enumerate(said):
        if token.text in after:
            rest = said[position + 1 :]
            for words in (("if", "not", "exists"), ("if", "exists"), ("only",)):
                rest = without(rest, *words)
            listed = parts(rest)[: None if token.text == "from" else 1]  # FROM a, b
            yield from ((named(part)[0], part[0]) for part in listed if named(part)[0] not in own)


def created(said: Tokens) -> Table | None:
    """Read ``CREATE TABLE``; None of anything else."""
    kinds = {"temp", "temporary", "unlogged", "global", "local"}
    rest = [token for n, token in enumerate(said) if n not in (1, 2) or token.text not in kinds]
    if not begins(rest, "create", "table"):
        return None
    name, rest_ = named(without(rest[2:], "if", "not", "exists"))
    table = Table(name)
    for part in parts(inside(rest_)) if begins(rest_, "(") else ():
        if part[0].text in _CONSTRAINTS:
            _constraint(table, part)
        else:
            _column(table, part)
    return table


def altered(said: Tokens) -> tuple[str, list[Tokens]] | None:
    """Read ``ALTER TABLE``: of which table, and each of its actions; None of anything else."""
    if not begins(said, "alter", "table"):
        return None
    name, rest = named(without(without(said[2:], "if", "exists"), "only"))
    return name, parts(rest)


def indexed(said: Tokens) -> tuple[str, tuple[str, ...]] | None:
    """Read ``CREATE INDEX``: on which table, and its columns; None of anything else, and of no table."""
    texts = [token.text for token in said]
    if texts[:2] != ["create", "index"] and texts[:3] != ["create", "unique", "index"]:
        return None
    if "on" not in texts:
        return None
    name, rest = named(without(said[texts.index("on") + 1 :], "only"))
    whole = not has(rest, "where")  # one of some rows does not find the others
    return name, _columns(inside(rest)) if whole else ()


def added(action: Tokens) -> Tokens | None:
    """Read ``ADD COLUMN``: the column, from its name on; None of any other action."""
    if not begins(action, "add") or len(action) < 3:
        return None
    rest = without(without(action[1:], "column"), "if", "not", "exists")
    return None if not begins(action, "add", "column") and rest[0].text in _CONSTRAINTS else rest


def renamed(action: Tokens) -> tuple[str, str] | None:
    """Read ``RENAME COLUMN a TO b``: the old name and the new one; None of any other action."""
    rest = without(action[1:], "column") if begins(action, "rename") else ()
    return (rest[0].text, rest[2].text) if len(rest) == 3 and rest[1].text == "to" else None


def dropped_column(action: Tokens) -> str:
    """Read ``DROP COLUMN``: its name; empty for any other action."""
    if not begins(action, "drop") or len(action) < 2 or action[1].text == "constraint":
        return ""
    rest = without(without(action[1:], "column"), "if", "exists")
    return rest[0].text if rest else ""


def kind(column: Tokens) -> str:
    """Spell the type of a column, of which the name comes first."""
    ends = {"not", "null", "default", "primary", "unique", "check", "references", "generated", "constraint", "collate"}
    return "".join(_until(column[1:], {*ends, "using"}))


def _until(said: Tokens, ends: set[str]) -> Iterator[str]:
    for token in said:
        if token.text in ends:
            return
        yield token.text


def _column(table: Table, column: Tokens) -> None:
    name = column[0].text
    table.columns[name] = kind(column)
    if has(column, "primary", "key") or has(column, "unique"):
        table.indexes.append((name,))


def _constraint(table: Table, said: Tokens) -> None:
    rest = said[2:] if begins(said, "constraint") else said
    if begins(rest, "primary", "key") or begins(rest, "unique"):
        table.indexes.append(_columns(inside(rest)))
    said_ = inside(rest) if begins(rest, "check") else ()
    if len(said_) == 4 and has(said_, "is", "not", "null"):
        table.filled.add(said_[0].text)


def _columns(said: Tokens) -> tuple[str, ...]:
    """List the columns of an index up to the first expression."""
    found: list[str] = []
    for part in parts(said):
        if (len(part) > 1 and part[1].text == "(") or part[0].text == "(":
            break
        found.append(part[0].text)
    return tuple(found)
