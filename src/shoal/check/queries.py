"""What handlers ask their stores for: of which records, by which fields, and how many at most."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shoal.check.graph import Handler
from shoal.check.source import Function, Marked, Use
from shoal.check.source.texts import text
from shoal.check.subject import Subject

READERS = frozenset({"shoal.Transaction", "shoal.ReadReplica"})
"""Types by which a handler reads records."""


@dataclass(frozen=True, eq=False)
class Query:
    """One ``find`` or ``count``.

    Attributes:
        handler: In whose work it lies.
        use: The call.
        record: Class of the records, with its ``@record``.
        where: Fields by which they are found; None where that cannot be read.
        limited: Whether somebody says how many there are at most.
    """

    handler: Handler
    use: Use
    record: Marked
    where: frozenset[str] | None
    limited: bool

    @property
    def name(self) -> str:
        """What the class is called."""
        return getattr(self.record.node, "name", "")

    @property
    def table(self) -> str:
        """Where the records are."""
        return str(self.record.said("table", 0) or "")


def queries(subject: Subject) -> Iterator[Query]:
    """List what handlers search, each place once."""
    seen: set[ast.Call] = set()
    for handler in subject.graph.handlers:
        for use in subject.graph.uses(handler):
            if use.kind.name in READERS and use.method in ("find", "count") and use.node not in seen:
                seen.add(use.node)
                query = _query(subject, handler, use)
                if query is not None:
                    yield query


def sql(subject: Subject, use: Use) -> str:
    """Return the SQL that a handler sends, as far as it can be read, with `UNKNOWN` for the rest; else nothing."""
    place = {"execute": 0, "fetch": 1}.get(use.method, -1) if use.kind.name in READERS else -1
    said = use.node.args[place] if 0 <= place < len(use.node.args) else None
    return "" if said is None else text(subject.source, use.function, said)


def _query(subject: Subject, handler: Handler, use: Use) -> Query | None:
    if any(word.arg is None for word in use.node.keywords) or not use.node.args:
        return None
    name = use.function.module.name_of(use.node.args[0])
    record = subject.source.marked("shoal.record").get(subject.source.origin(name))
    if record is None:
        return None
    said: Mapping[str | None, ast.expr] = {word.arg: word.value for word in use.node.keywords}
    where = use.node.args[1] if len(use.node.args) > 1 else said.get("where")
    limit = said.get("limit")
    return Query(
        handler=handler,
        use=use,
        record=record,
        where=_fields(use.function, where),
        limited=limit is not None and not (isinstance(limit, ast.Constant) and limit.value is None),
    )


def _fields(function: Function, where: ast.expr | None) -> frozenset[str] | None:
    """Read the fields of a condition that is written out, there or where its name is bound for the only time."""
    if isinstance(where, ast.Name):
        where = None if _changed(function, where.id) else function.value(where.id)
        if where is None:
            return None
    if where is None or (isinstance(where, ast.Constant) and where.value is None):
        return frozenset()
    if not isinstance(where, ast.Dict):
        return None
    keys = [key.value if isinstance(key, ast.Constant) else None for key in where.keys]
    return frozenset(key for key in keys if isinstance(key, str)) if all(isinstance(k, str) for k in keys) else None


def _changed(function: Function, name: str) -> bool:
    """Tell whether something is done with a name that may change what it stands for."""
    return any(
        isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name
        for node, _ in function.body
    )
