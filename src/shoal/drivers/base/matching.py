"""Which rows a query means, in which order. Pure; every engine gives the same answers in its own language."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from shoal.drivers.base import Query, Row, Table
from shoal.errors import EngineError


def identity(key: object) -> object:
    """Make equal what a database compares as equal: a UUID and its text."""
    return str(key) if isinstance(key, UUID) else key


def require(table: Table, columns: Iterable[str]) -> None:
    """Refuse columns that the table does not declare."""
    for column in columns:
        if column not in table.columns:
            raise EngineError(
                f"table {table.name} has no column {column!r}",
                hint=f"its columns: {', '.join(table.columns)}",
            )


def columns(query: Query) -> Iterable[str]:
    """List the columns that a query names."""
    bounds = (*query.above, *query.at_most, *query.below)
    return [*query.where, *bounds, *(column.removeprefix("-") for column in query.order)]


def matches(row: Row, query: Query) -> bool:
    """Say whether a row is meant."""
    return (
        all(_equals(row.get(column), value) for column, value in query.where.items())
        and all(_exceeds(row.get(column), value) for column, value in query.above.items())
        and all(_exceeds(value, row.get(column), equal=True) for column, value in query.at_most.items())
        and all(_exceeds(value, row.get(column)) for column, value in query.below.items())
    )


def arrange(table: Table, query: Query, rows: Iterable[Row]) -> list[Row]:
    """Sort rows and cut out the page."""
    found = sort(table, query.order, rows)
    end = None if query.limit is None else query.offset + query.limit
    return found[query.offset : end]


def sort(table: Table, order: tuple[str, ...], rows: Iterable[Row]) -> list[Row]:
    """Sort rows; null is larger than every value."""
    found = [*rows]
    for column in reversed((*order, table.key)):
        found.sort(key=_ranking(column.removeprefix("-")), reverse=column.startswith("-"))
    return found


def _equals(value: object, wanted: object) -> bool:
    if isinstance(wanted, (tuple, list)):
        return any(_equals(value, item) for item in wanted)
    return identity(value) == identity(wanted)


def _exceeds(larger: Any, smaller: Any, *, equal: bool = False) -> bool:
    """Compare as SQL does: null is neither more nor less than anything."""
    if larger is None or smaller is None:
        return False
    larger, smaller = identity(larger), identity(smaller)
    return bool(larger > smaller or (equal and larger == smaller))


def _ranking(column: str) -> Callable[[Row], tuple[bool, Any]]:
    def rank(row: Row) -> tuple[bool, Any]:
        value = identity(row.get(column))
        return (True, 0) if value is None else (False, value)

    return rank
