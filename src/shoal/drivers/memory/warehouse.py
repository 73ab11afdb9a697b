"""A warehouse as lists: the reference of what appends and reports mean."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from shoal.drivers.base import FactBatch, FactTable, Group, Measure, ReportQuery, Row, check_columns
from shoal.drivers.base.facts import gap, other_kind, prepared

Fact = dict[str, Any]


class MemoryWarehouse:
    """Implements `base.Warehouse`; keeps what it has over `close` and `open`, and nothing beyond the process."""

    every = 0.0

    def __init__(self) -> None:
        self._tables: dict[str, FactTable] = {}
        self._facts: dict[str, list[Fact]] = {}
        self._latest: dict[str, str] = {}

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def prepare(self, tables: Sequence[FactTable]) -> None:
        """Take the tables, and their further columns."""
        for table in tables:
            before = self._tables.get(table.name, table)
            kinds = {column.name: column.kind for column in before.columns}
            for column in table.columns:
                if kinds.setdefault(column.name, column.kind) != column.kind:
                    raise other_kind(table, column.name, kinds[column.name], column.kind)
        for table in tables:
            self._tables[table.name] = table
            self._facts.setdefault(table.name, [])

    async def append(self, batch: FactBatch) -> bool:
        """Append a batch that is the next of its source."""
        latest = self._latest.get(batch.source, "")
        if batch.id == latest:
            return False
        if batch.after != latest:
            raise gap(batch, latest)
        for name, columns in batch.facts:
            check_columns(prepared(self._tables, name), columns)
        for name, columns in batch.facts:
            names = [column.name for column in prepared(self._tables, name).columns]
            self._facts[name] += [dict(zip(names, fact, strict=True)) for fact in zip(*columns, strict=True)]
        self._latest[batch.source] = batch.id
        return True

    async def latest(self, source: str) -> str:
        """Return the id of the latest batch."""
        return self._latest.get(source, "")

    async def report(self, query: ReportQuery) -> Sequence[Row]:
        """Group, measure, sort."""
        prepared(self._tables, query.table.name)
        groups: dict[tuple[Any, ...], list[Fact]] = {}
        for fact in self._facts[query.table.name]:
            if _counts(fact, query):
                groups.setdefault(tuple(_told(fact, group) for group in query.groups), []).append(fact)
        if not query.groups:
            groups.setdefault((), [])
        names = [group.name for group in query.groups]
        rows = [
            {**dict(zip(names, key, strict=True)), **{m.name: _measured(m, facts) for m in query.measures}}
            for key, facts in groups.items()
        ]
        for name in (*reversed(names), *reversed(query.order)):
            rows.sort(key=_place(name), reverse=name.startswith("-"))
        return rows[: query.limit]

    async def forget(self, table: FactTable, before: datetime) -> int:
        """Remove old facts."""
        facts = self._facts[prepared(self._tables, table.name).name]
        kept = [fact for fact in facts if fact.get(table.time) is None or fact[table.time] >= before]
        gone, facts[:] = len(facts) - len(kept), kept
        return gone


def _counts(fact: Mapping[str, Any], query: ReportQuery) -> bool:
    if any(fact.get(column) != value for column, value in query.where.items()):
        return False
    at = fact.get(query.table.time)
    if query.since is not None and (at is None or at < query.since):
        return False
    return query.until is None or (at is not None and at < query.until)


def _told(fact: Mapping[str, Any], group: Group) -> Any:
    value = fact.get(group.column)
    return cast("datetime", value).date() if group.by_day and value is not None else value


def _measured(measure: Measure, facts: Iterable[Mapping[str, Any]]) -> Any:
    if measure.aggregate == "count":
        return len(list(facts))
    values = [fact[measure.column] for fact in facts if fact.get(measure.column) is not None]
    if measure.aggregate == "distinct":
        return len(set(values))
    return _REDUCED[measure.aggregate](values) if values else None


_REDUCED: Mapping[str, Callable[[Any], Any]] = {"sum": sum, "least": min, "greatest": max}


def _place(name: str) -> Callable[[Mapping[str, Any]], tuple[bool, Any]]:
    """Order by one column; nulls come last, in either direction."""
    column, down = name.lstrip("-"), name.startswith("-")

    def place(row: Mapping[str, Any]) -> tuple[bool, Any]:
        value = row[column]
        return ((value is None) != down, _NOTHING if value is None else value)

    return place


_NOTHING = date.min
"""Stands for null, which is compared with nothing but null."""
