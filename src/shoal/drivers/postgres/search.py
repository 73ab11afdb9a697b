"""Finding documents with PostgreSQL's full text search, in the service's own database."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from shoal.drivers.base import Row
from shoal.drivers.base.search import SearchAnswer, SearchChange, SearchHit, SearchQuery, SearchShape
from shoal.drivers.base.words import ALIKE, fold, marked, nearness, words
from shoal.drivers.postgres import search_sql
from shoal.drivers.postgres.address import parse
from shoal.drivers.postgres.client import Link
from shoal.drivers.postgres.pool import Pool
from shoal.drivers.postgres.pooled import reach
from shoal.drivers.postgres.schema import lock_key
from shoal.drivers.postgres.search_sql import Params
from shoal.errors import EngineError, Unavailable

_T = TypeVar("_T")

POOL_SIZE = 4
"""Connections of one process for searching, besides those of its store."""

_ONE_AT_A_TIME = lock_key("search")
_UNDEFINED = "42P01"
_MOVES = 4
"""Moves of a name that one search outlives."""

_SNAPSHOT = "begin isolation level repeatable read read only"


class PostgresSearch:
    """A `base.Search`."""

    def __init__(self, url: str) -> None:
        address = parse(url)
        self._pool = Pool(lambda: reach(address), POOL_SIZE)

    async def close(self) -> None:
        """Drop every connection."""
        self._pool.close()

    async def make(self, physical: str, shape: SearchShape) -> None:
        """Make a table, and all that it needs when it is the first."""
        async with self._transaction("begin") as link:
            await link.fetch("select pg_advisory_xact_lock($1::bigint)", (_ONE_AT_A_TIME,))
            await link.execute(search_sql.SCHEMA)
            await link.execute(search_sql.made(physical, shape))

    async def write(self, physical: str, shape: SearchShape, changes: Sequence[SearchChange]) -> None:
        """Write rows, unless they are newer, in one statement and the order of their keys, against deadlocks."""
        latest: dict[str, SearchChange] = {}
        for change in changes:
            if change.key not in latest or latest[change.key].version < change.version:
                latest[change.key] = change
        rows = [_row(shape, latest[key]) for key in sorted(latest)]
        if rows:
            async with self._link(shape.name) as link:
                await link.fetch(search_sql.written(physical, shape), [list(c) for c in zip(*rows, strict=True)])

    async def point(self, name: str, physical: str) -> None:
        """Move a name, and drop what it meant before."""
        async with self._transaction("begin", name) as link:
            await link.fetch(
                "insert into shoal_search.names values ($1, $2) on conflict (name) do update set physical = $2",
                (name, physical),
            )
            others = await link.fetch(
                "select tablename from pg_tables where schemaname = 'shoal_search' "
                "and starts_with(tablename, $1) and tablename <> $2",
                (f"{name}-", physical),
            )
            for row in others:
                await link.execute(f"drop table {search_sql.place(str(row['tablename']))}")

    async def pointed(self, name: str) -> str:
        """Look a name up, and whether its table is there."""
        try:
            async with self._link(name) as link:
                found = await link.fetch(
                    "select physical from shoal_search.names where name = $1 "
                    "and to_regclass(format('shoal_search.%I', physical)) is not null",
                    (name,),
                )
        except _Missing:
            return ""
        return str(found[0]["physical"]) if found else ""

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Ask for the page, the total and the facets in one snapshot."""
        return await _while_it_moves(lambda: self._search(query))

    async def suggest(self, shape: SearchShape, prefix: str, limit: int, *, near: bool = False) -> Sequence[str]:
        """Complete what somebody types."""
        if not (asked := fold(prefix)):
            return ()

        async def suggested() -> Sequence[str]:
            async with self._transaction(_SNAPSHOT, shape.name) as link:
                physical = await _meant(link, shape.name)
                rows = await link.fetch(search_sql.suggested(shape, physical, near=near), (asked, limit))
            return [str(row["text"]) for row in rows]

        return await _while_it_moves(suggested)

    async def _search(self, query: SearchQuery) -> SearchAnswer:
        async with self._transaction(_SNAPSHOT, query.shape.name) as link:
            physical = await _meant(link, query.shape.name)
            params = Params()
            rows = await link.fetch(search_sql.page(query, physical, params), params.values)
            params = Params()
            total = await link.fetch(search_sql.total(query, physical, params), params.values)
            facets = [await _counted(link, query, number, physical) for number in range(len(query.facets))]
            matched = await _matched(link, query, rows)
        hits = [_hit(row, query.shape, matched) for row in rows]
        return SearchAnswer(hits=hits, total=int(str(total[0]["total"])), facets=tuple(facets))

    @asynccontextmanager
    async def _transaction(self, begin: str, name: str = "") -> AsyncIterator[Link]:
        async with self._link(name) as link:
            await link.begin(begin)
            yield link
            await link.end("commit")

    @asynccontextmanager
    async def _link(self, name: str) -> AsyncIterator[Link]:
        link = await self._pool.acquire()
        try:
            yield link
        except EngineError as error:
            if getattr(error.__cause__, "sqlstate", "") == _UNDEFINED:
                raise _missing(name) from error
            raise
        finally:
            self._pool.release(link)  # one that is still inside a transaction is dropped


class _Missing(Unavailable):
    """There is no such index, or no more."""


def _missing(name: str) -> _Missing:
    return _Missing(f"the index {name} is not built yet", hint="try again in a moment")


async def _while_it_moves(ask: Callable[[], Awaitable[_T]]) -> _T:
    """Ask again when what a name meant is gone: it was moved after it was looked up, or means nothing yet."""
    for _ in range(_MOVES):
        with contextlib.suppress(_Missing):
            return await ask()
    return await ask()


async def _meant(link: Link, name: str) -> str:
    found = await link.fetch("select physical from shoal_search.names where name = $1", (name,))
    if not found:
        raise _missing(name)
    return str(found[0]["physical"])


async def _counted(link: Link, query: SearchQuery, number: int, physical: str) -> tuple[tuple[object, int], ...]:
    params, asked = Params(), query.facets[number]
    rows = await link.fetch(search_sql.facet(query, asked, physical, params), params.values)
    if asked.spans:
        return tuple((n, int(str(rows[0][f"s{n}"]))) for n in range(len(asked.spans)))
    return tuple((row["value"], int(str(row["hits"]))) for row in rows)


async def _matched(link: Link, query: SearchQuery, rows: Sequence[Row]) -> Collection[str]:
    """Find which words of the hits were meant; the engine knows their endings."""
    asked = query.terms.words
    if not asked or not rows:
        return ()
    texts = [str(row[f"f_{field.name}"] or "") for row in rows for field in query.shape.texts]
    every = sorted({word for text in texts for word in words(text)})
    if query.near:
        return {word for word in every if any(nearness(each, word) >= ALIKE for each in asked)}
    return {str(row["word"]) for row in await link.fetch(search_sql.matching(query.shape), (every, list(asked)))}


def _hit(row: Row, shape: SearchShape, matched: Collection[str]) -> SearchHit:
    texts = {field.name: str(row[f"f_{field.name}"] or "") for field in shape.texts}
    found = {name: text for name, text in texts.items() if any(word in matched for word in words(text))}
    return SearchHit(
        key=str(row["key"]),
        body=str(row["body"]),
        score=float(str(row["score"])),
        place=search_sql.travelling(row["place"]),
        highlights={name: marked(text, matched) for name, text in found.items()},
    )


def _row(shape: SearchShape, change: SearchChange) -> list[object]:
    if change.values is None:
        empty = [None] * (1 + len(shape.fields) + len(shape.texts))
        return [change.key, change.version, None, *empty]
    folded = [fold(str(change.values.get(field.name) or "")) for field in shape.texts]
    values = [change.values.get(field.name) for field in shape.fields]
    return [change.key, change.version, change.body, " ".join(folded), *values, *(f" {text}" for text in folded)]
