"""Reports as SQL, which warehouses read alike but for names, types and the marks of parameters. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shoal.drivers.base.warehouse import FactKind, FactTable, Measure, ReportQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs."""

    quote: Callable[[str], str]
    """Writes a name."""
    types: Mapping[FactKind, str]
    mark: Callable[[int], str]
    """Writes the place of a parameter, counted from 0."""
    wide: bool = False
    """Whether the sum of integers is of another type than they."""


Asked = tuple[str, list[tuple[FactKind, object]]]
"""A statement, and its parameters with the kinds of the columns that they are compared with."""


def select(query: ReportQuery, dialect: Dialect) -> Asked:
    """Ask a question."""
    quote = dialect.quote
    table, groups = query.table, [quote(group.name) for group in query.groups]
    shown = [
        f"{f'cast({quote(g.column)} as date)' if g.by_day else quote(g.column)} as {quote(g.name)}"
        for g in query.groups
    ]
    shown += [f"{_measure(measure, table, dialect)} as {quote(measure.name)}" for measure in query.measures]
    conditions, values = _conditions(query, dialect)
    text = f"select {', '.join(shown)} from {quote(table.name)}"  # noqa: S608 - quoted names
    if conditions:
        text += f" where {' and '.join(conditions)}"
    if groups:
        text += f" group by {', '.join(str(i + 1) for i in range(len(groups)))}"
    order = [f"{quote(n.lstrip('-'))} {'desc' if n.startswith('-') else 'asc'} nulls last" for n in query.order]
    order += [f"{name} asc nulls last" for name in groups]
    return text + (f" order by {', '.join(order)}" if order else "") + f" limit {int(query.limit)}", values


def kind_of(table: FactTable, name: str) -> FactKind:
    """Return the kind of a column."""
    return next(column.kind for column in table.columns if column.name == name)


def _conditions(query: ReportQuery, dialect: Dialect) -> tuple[list[str], list[tuple[FactKind, object]]]:
    conditions: list[str] = []
    values: list[tuple[FactKind, object]] = []
    for column, value in query.where.items():
        if value is None:
            conditions.append(f"{dialect.quote(column)} is null")
            continue
        conditions.append(f"{dialect.quote(column)} = {dialect.mark(len(values))}")
        values.append((kind_of(query.table, column), value))
    for sign, moment in ((">=", query.since), ("<", query.until)):
        if moment is not None:
            conditions.append(f"{dialect.quote(query.table.time)} {sign} {dialect.mark(len(values))}")
            values.append((kind_of(query.table, query.table.time), moment))
    return conditions, values


def _measure(measure: Measure, table: FactTable, dialect: Dialect) -> str:
    if measure.aggregate == "count":
        return "count(*)"
    column = dialect.quote(measure.column)
    if measure.aggregate == "distinct":
        return f"count(distinct {column})"
    if measure.aggregate == "sum":
        total = f"sum({column})"
        return f"cast({total} as {dialect.types[kind_of(table, measure.column)]})" if dialect.wide else total
    return f"{'min' if measure.aggregate == 'least' else 'max'}({column})"
