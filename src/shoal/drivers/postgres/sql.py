"""SQL text from tables and queries: pure, and cached by shape so that the server's prepared statements are reused."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Literal

from shoal.drivers.base import Query, Table
from shoal.errors import EngineError

Shape = tuple[tuple[str, str], ...]
"""For each test of a condition, its column and its kind: ``=``, ``null``, ``any``, ``any-or-null`` or a comparison."""

Kind = Literal["put", "insert", "delete"]

Spelling = Callable[[Table, str], tuple[str, str]]
"""How a column is spelled, and the cast of what it is compared with."""


def quote(name: str) -> str:
    """Quote an identifier; dots separate a schema from its table."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def literal(text: str) -> str:
    """Quote a string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f" E'{escaped}'"


def condition(table: Table, where: Mapping[str, object]) -> tuple[Shape, list[object]]:
    """Split a condition into its shape, which becomes SQL, and its values, which travel beside it."""
    shape: list[tuple[str, str]] = []
    values: list[object] = []
    for column, value in where.items():
        require(table, column)
        if value is None:
            shape.append((column, "null"))
        elif isinstance(value, (tuple, list)):
            items = [item for item in value if item is not None]
            shape.append((column, "any" if len(items) == len(value) else "any-or-null"))
            values.append(items)
        else:
            shape.append((column, "="))
            values.append(value)
    return tuple(shape), values


def require(table: Table, column: str) -> None:
    """Refuse a column that the table does not declare."""
    if column not in table.columns:
        raise EngineError(
            f"table {table.name} has no column {column!r}", hint=f"its columns: {', '.join(table.columns)}"
        )


@lru_cache(maxsize=2048)
def get(table: Table, *, lock: bool) -> str:
    """Select one row by its key."""
    return f"{_select(table)} where {quote(table.key)} = {_place(table, table.key, 1)}{' for update' if lock else ''}"


@lru_cache(maxsize=2048)
def count(table: Table, shape: Shape) -> str:
    """Count the rows that match."""
    return f"select count(*) as count from {quote(table.name)}{where(table, shape)}"  # noqa: S608


def meant(table: Table, query: Query) -> tuple[Shape, list[object]]:
    """Split all that a query says of rows into its shape and its values."""
    shape, values = condition(table, query.where)
    for test, bounds in ((">", query.above), ("<=", query.at_most), ("<", query.below)):
        for column, value in bounds.items():
            require(table, column)
            shape += ((column, test),)
            values.append(value)
    for column in query.order:
        require(table, column.removeprefix("-"))
    return shape, values


def paging(query: Query) -> tuple[tuple[bool, bool], list[int]]:
    """Say whether a query has a limit and an offset, and list them."""
    found = [*([] if query.limit is None else [query.limit]), *([query.offset] if query.offset else [])]
    return (query.limit is not None, bool(query.offset)), found


def find(table: Table, query: Query) -> tuple[str, list[object]]:
    """Select the rows that match, with the values of its parameters."""
    shape, values = meant(table, query)
    paged, bounds = paging(query)
    values += bounds
    how = "" if not query.lock else " for update skip locked" if query.skip_locked else " for update"
    return _find(table, shape, query.order, paged, how), values


@lru_cache(maxsize=2048)
def _find(table: Table, shape: Shape, order: tuple[str, ...], paged: tuple[bool, bool], lock: str) -> str:
    some = where(table, shape)
    cut = page(paged, shape)
    by = by_columns(table, order)
    by_key = by_columns(table, ())
    if by == by_key or lock != " for update":  # who waits for nobody may take locks in any order
        return f"{_select(table)}{some}{by}{cut}{lock}"
    # Locks are taken in the order in which rows come, so rows come by key and are put in order afterwards.
    key, name = quote(table.key), quote(table.name)
    if cut:
        those = f"{key} in (select {key} from {name}{some}{by}{cut})"  # noqa: S608
        some = f"{some} and {those}" if some else f" where {those}"
    return (
        f"with locked as materialized ({_select(table)}{some}{by_key}{lock}) "  # noqa: S608
        f"select * from locked{by}"
    )


def write(table: Table, kind: Kind, columns: tuple[str, ...], rows: int, first: int) -> str:
    """Write `rows` rows, or delete them, with parameters numbered from `first`."""
    name, key = quote(table.name), quote(table.key)
    if kind == "delete":
        places = ", ".join(f"${first + i}" for i in range(rows))
        return f"delete from {name} where {key} in ({places})"  # noqa: S608
    width = len(columns)
    values = ", ".join(
        f"({', '.join(_place(table, column, first + row * width + i) for i, column in enumerate(columns))})"
        for row in range(rows)
    )
    insert = f"insert into {name} ({', '.join(map(quote, columns))}) values {values}"  # noqa: S608
    return f"{insert} on conflict ({key}) do {_replace(table, columns)}" if kind == "put" else insert


def _replace(table: Table, columns: Iterable[str]) -> str:
    """Give every column its new value; one that the row leaves out returns to its default."""
    given = set(columns)
    sets = [
        f"{quote(column)} = {f'excluded.{quote(column)}' if column in given else 'default'}"
        for column in table.columns
        if column != table.key
    ]
    return f"update set {', '.join(sets)}" if sets else "nothing"


def _select(table: Table) -> str:
    return f"select {', '.join(map(quote, table.columns))} from {quote(table.name)}"  # noqa: S608


def _place(table: Table, column: str, number: int) -> str:
    return f"${number}::jsonb" if column in table.json else f"${number}"


def _own(table: Table, column: str) -> tuple[str, str]:
    return quote(column), "::jsonb" if column in table.json else ""


def where(table: Table, shape: Shape, spell: Spelling = _own) -> str:
    """Write a condition; the values of its parameters come first of all."""
    tests = []
    number = 0
    for column, test in shape:
        name, cast = spell(table, column)
        number += test != "null"
        listed = f"{name} = any(${number}{cast and f'{cast}[]'})"
        tests.append(
            {
                "=": f"{name} = ${number}{cast}",
                "null": f"{name} is null",
                "any": listed,
                "any-or-null": f"({listed} or {name} is null)",
                ">": f"{name} > ${number}{cast}",
                "<=": f"{name} <= ${number}{cast}",
                "<": f"{name} < ${number}{cast}",
            }[test]
        )
    return f" where {' and '.join(tests)}" if tests else ""


def by_columns(table: Table, order: tuple[str, ...], spell: Spelling = _own) -> str:
    """Write an order."""
    named = [column.removeprefix("-") for column in order]
    columns = [*order] if table.key in named else [*order, table.key]
    return " order by " + ", ".join(
        f"{spell(table, column[1:])[0]} desc" if column.startswith("-") else spell(table, column)[0]
        for column in columns
    )


def page(paged: tuple[bool, bool], shape: Shape) -> str:
    """Write limit and offset, whose values come after those of the condition."""
    limited, skipping = paged
    used = sum(test != "null" for _, test in shape)
    limit = f" limit ${used + 1}" if limited else ""
    return f"{limit} offset ${used + 1 + limited}" if skipping else limit
