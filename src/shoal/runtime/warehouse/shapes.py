"""From what authors declared to what drivers are asked."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from shoal.drivers.base import Aggregate, FactColumn, FactTable, Group, Measure, ReportQuery
from shoal.service.warehouse import Count, Distinct, Greatest, Least, ReportMark, Scalar, Sum, fact_table_of, report_of

_AGGREGATES: Mapping[type, Aggregate] = {
    Count: "count", Distinct: "distinct", Sum: "sum", Least: "least", Greatest: "greatest",
}  # fmt: skip


def table_of(kind: type) -> FactTable:
    """Return the table of a type of facts."""
    declared = fact_table_of(kind)
    columns = tuple(FactColumn(name=column.name, kind=column.kind) for column in declared.columns)
    return FactTable(name=declared.name, columns=columns, time=declared.time)


def query_of(
    kind: type, since: dt.datetime | None, until: dt.datetime | None, where: Mapping[str, Scalar], limit: int | None
) -> ReportQuery:
    """Ask a declared report."""
    mark = report_of(kind)
    return ReportQuery(
        table=table_of(mark.of),
        groups=tuple(Group(name=name, column=column, by_day=by_day) for name, column, by_day in mark.groups),
        measures=tuple(_measure(name, said) for name, said in mark.measures),
        where={**where, **mark.where},
        since=since,
        until=until,
        order=mark.order,
        limit=min(mark.limit, mark.limit if limit is None else max(1, limit)),
    )


def columns_of(mark: ReportMark) -> frozenset[str]:
    """List what a report may be narrowed by."""
    return frozenset(column.name for column in fact_table_of(mark.of).columns)


def _measure(name: str, said: Any) -> Measure:
    return Measure(name=name, aggregate=_AGGREGATES[type(said)], column=getattr(said, "column", ""))
