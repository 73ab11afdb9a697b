"""Questions about documents, as SQL: pure, and cached by shape so that the server's prepared statements are reused."""

from collections.abc import Sequence
from functools import lru_cache

from shoal.drivers.base import Query, Table
from shoal.drivers.postgres import sql
from shoal.drivers.postgres.documents import values
from shoal.drivers.postgres.documents.layout import column, place
from shoal.drivers.postgres.sql import Shape

Question = tuple[str, Sequence[object]]
"""A statement, and the values of its parameters."""


@lru_cache(maxsize=2048)
def read(name: str, *, several: bool) -> str:
    """Select documents by key."""
    return f"select key, version, body from {place(name)} where key = {'any($1)' if several else '$1'}"  # noqa: S608


def search(table: Table, query: Query) -> Question:
    """Select the documents that are meant, in order."""
    shape, some = _meant(table, query)
    paged, bounds = sql.paging(query)
    return _search(table, shape, query.order, paged), [*some, *bounds]


def count(table: Table, query: Query) -> Question:
    """Count the documents that are meant."""
    shape, some = _meant(table, query)
    return _count(table, shape), some


def remove(table: Table, query: Query, most: int) -> Question:
    """Remove some of the documents that are meant, and say how many."""
    shape, some = _meant(table, query)
    return _remove(table, shape), [*some, most]


def _meant(table: Table, query: Query) -> tuple[Shape, list[object]]:
    shape, found = sql.meant(table, query)
    columns = [name for name, test in shape if test != "null"]
    return shape, [_written(table, *pair) for pair in zip(columns, found, strict=True)]


def _written(table: Table, name: str, found: object) -> object:
    if isinstance(found, list):  # what any of the wanted may be
        return [values.value(table, name, one) for one in found]
    return values.value(table, name, found)


@lru_cache(maxsize=2048)
def _search(table: Table, shape: Shape, order: tuple[str, ...], paged: tuple[bool, bool]) -> str:
    some, by, cut = sql.where(table, shape, column), sql.by_columns(table, order, column), sql.page(paged, shape)
    return f"select key, version, body from {place(table.name)}{some}{by}{cut}"  # noqa: S608


@lru_cache(maxsize=2048)
def _count(table: Table, shape: Shape) -> str:
    return f"select count(*) as n from {place(table.name)}{sql.where(table, shape, column)}"  # noqa: S608


@lru_cache(maxsize=2048)
def _remove(table: Table, shape: Shape) -> str:
    name, some, cut = place(table.name), sql.where(table, shape, column), sql.page((True, False), shape)
    some = f"select key from {name}{some}{cut} for update skip locked"  # noqa: S608
    return f"with gone as (delete from {name} where key in ({some}) returning 1) select count(*) as n from gone"  # noqa: S608
