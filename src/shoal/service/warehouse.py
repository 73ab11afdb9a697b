"""What authors write to keep facts in a warehouse and to ask for reports."""

import datetime as dt
import enum
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from shoal.errors import DeclarationError
from shoal.model.warehouse import ColumnKind, FactColumn, FactTable, Report
from shoal.model.warehouse import Warehouse as WarehouseModel
from shoal.service.marks import check_kinds, field_names, placed
from shoal.service.personal import refuse_personal
from shoal.service.source import of_caller, of_class

C = TypeVar("C")
T = TypeVar("T")

Scalar = str | int | float | bool | dt.datetime | dt.date | None


class Day(msgspec.Struct, frozen=True):
    """Group by the day of a time, in UTC."""

    column: str = ""
    """The table's own time when nothing is said."""


class Count(msgspec.Struct, frozen=True):
    """Count the facts of a group."""


class Distinct(msgspec.Struct, frozen=True):
    """Count the different values of a column; by far the dearest measure."""

    column: str


class Sum(msgspec.Struct, frozen=True):
    """Add up a column."""

    column: str


class Least(msgspec.Struct, frozen=True):
    """Take the least value of a column."""

    column: str


class Greatest(msgspec.Struct, frozen=True):
    """Take the greatest value of a column."""

    column: str


Said = Day | Count | Distinct | Sum | Least | Greatest


class ReportMark(msgspec.Struct, frozen=True, kw_only=True):
    """What `report` says about a class."""

    of: type
    groups: tuple[tuple[str, str, bool], ...]
    """Name, column, and whether only the day counts."""
    measures: tuple[tuple[str, Count | Distinct | Sum | Least | Greatest], ...]
    where: Mapping[str, Scalar]
    order: tuple[str, ...]
    limit: int
    source: str


class WarehouseDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """A warehouse with its tables and reports, as classes."""

    engine: str
    tables: tuple[type, ...]
    reports: tuple[type, ...]
    production: str = ""
    why: str = ""


class Warehouse(Protocol):
    """Takes facts within a transaction: they are appended once it has committed, soon and once, or never."""

    def append(self, fact: object) -> None:
        """Append a fact; `Undeclared` when its type is no table of the service's warehouse."""
        ...


class Reports(Protocol):
    """Answers the declared reports from what has been appended so far."""

    async def read(
        self,
        kind: type[T],
        *,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        where: Mapping[str, Scalar] | None = None,
        limit: int | None = None,
    ) -> list[T]:
        """Read a report; `Unavailable` while the warehouse is away.

        Args:
            kind: Class of the report's rows.
            since: The first moment that counts, by the table's time.
            until: The first moment that no longer counts.
            where: Columns of the table and what they must equal, besides what the report says itself.
            limit: Most rows; the report's own limit when nothing is said, and never more.
        """
        ...


def fact_table(name: str, *, time: str = "at", keep_days: int = 0) -> Callable[[type[C]], type[C]]:
    """Declare a class as a row of a fact table: texts, whole and other numbers, booleans, times and dates.

    Args:
        name: Name of the table.
        time: Field that says when the fact happened.
        keep_days: Days after which facts are removed; 0 keeps them for ever.
    """

    def mark(cls: type[C]) -> type[C]:
        place = of_class(cls)
        with placed(place):
            hints = get_type_hints(cls, include_extras=True)
            columns = tuple(FactColumn(name=f, kind=_kind(cls, f, hints[f])) for f in field_names(cls))
            table = FactTable(name=name, columns=columns, time=time, keep_days=keep_days, source=place)
        cls.__shoal_fact_table__ = table  # type: ignore[attr-defined]
        return cls

    return mark


def report(
    of: type, *, where: Mapping[str, Scalar] | None = None, order: Sequence[str] = (), limit: int = 1000
) -> Callable[[type[C]], type[C]]:
    """Declare a class as a row of a report on one fact table.

    A plain field is a column that rows are told apart by; ``Annotated[date, Day()]`` is the day of a time, and
    ``Annotated[int, Count()]``, ``Sum``, ``Distinct``, ``Least`` and ``Greatest`` say what is measured.

    Args:
        of: Class of the table's facts.
        where: Columns and what they must equal.
        order: Fields of the report; a leading ``-`` means descending.
        limit: Most rows.
    """

    def mark(cls: type[C]) -> type[C]:
        place = of_class(cls)
        with placed(place):
            table = fact_table_of(of)
            built = _report(cls, of, table, place)
            _check_names(cls, "filters by", where or {}, [column.name for column in table.columns])
            _check_names(cls, "is ordered by", [name.lstrip("-") for name in order], field_names(cls))
            if not 1 <= limit <= 100_000:
                raise DeclarationError(f"report {cls.__name__} has limit={limit!r}", hint="use 1 to 100,000")
        marked = msgspec.structs.replace(built, where=dict(where or {}), order=tuple(order), limit=limit)
        cls.__shoal_report__ = marked  # type: ignore[attr-defined]
        return cls

    return mark


def DuckDB(  # noqa: N802 - reads as the engine
    *, tables: Sequence[type], reports: Sequence[type] = (), why: str = ""
) -> WarehouseDeclaration:
    """Keep facts in a DuckDB file of the service's own, which one process has: the service runs as one replica.

    Args:
        tables: Classes declared with `fact_table`.
        reports: Classes declared with `report`.
        why: Why this engine suits the service, for the documents.
    """
    return _declared("DuckDB", "", tables, reports, why, of_caller()[1])


def BigQuery(  # noqa: N802 - reads as the engine
    *, tables: Sequence[type], reports: Sequence[type] = (), why: str = ""
) -> WarehouseDeclaration:
    """Keep facts in production in a dataset of Google BigQuery.

    A laptop keeps them in a DuckDB file, which one process has.

    Args:
        tables: Classes declared with `fact_table`.
        reports: Classes declared with `report`.
        why: Why this engine suits the service, for the documents.
    """
    return _declared("BigQuery", "bigquery", tables, reports, why, of_caller()[1])


def Redshift(  # noqa: N802 - reads as the engine
    *, tables: Sequence[type], reports: Sequence[type] = (), why: str = ""
) -> WarehouseDeclaration:
    """Keep facts in production in a database of Amazon Redshift Serverless.

    A laptop keeps them in a DuckDB file, which one process has.

    Args:
        tables: Classes declared with `fact_table`.
        reports: Classes declared with `report`.
        why: Why this engine suits the service, for the documents.
    """
    return _declared("Redshift", "redshift", tables, reports, why, of_caller()[1])


def _declared(
    engine: str, production: str, tables: Sequence[type], reports: Sequence[type], why: str, place: str
) -> WarehouseDeclaration:
    check_kinds(engine, {"tables": tables, "reports": reports}, dict.fromkeys(("tables", "reports"), Sequence[type]),
                place)  # fmt: skip
    with placed(place):
        names = [fact_table_of(table).name for table in tables]
        for name in names:
            if names.count(name) > 1:
                raise DeclarationError(f"two fact tables are called {name}", hint="rename one of them")
        for kind in reports:
            if (of := report_of(kind).of) not in tables:
                raise DeclarationError(
                    f"report {kind.__name__} reads {of.__name__}, which is not kept here", hint="add it to tables="
                )
    return WarehouseDeclaration(
        engine="duckdb", production=production, tables=tuple(tables), reports=tuple(reports), why=why
    )


def fact_table_of(cls: type) -> FactTable:
    """Return what `fact_table` said about a class, or raise `DeclarationError`."""
    found = getattr(cls, "__shoal_fact_table__", None)
    if isinstance(found, FactTable):
        return found
    raise DeclarationError(f"{cls.__name__} is no fact", hint='decorate it: @fact_table("sales")', where=of_class(cls))


def report_of(cls: type) -> ReportMark:
    """Return what `report` said about a class, or raise `DeclarationError`."""
    found = getattr(cls, "__shoal_report__", None)
    if isinstance(found, ReportMark):
        return found
    raise DeclarationError(f"{cls.__name__} is no report", hint="decorate it: @report(Sale)", where=of_class(cls))


def describe_warehouse(declared: WarehouseDeclaration | None) -> WarehouseModel | None:
    """Describe a warehouse as pure data."""
    if declared is None:
        return None
    for kind in declared.tables:
        refuse_personal(kind, "the table of facts")
    reports = [(kind.__name__, report_of(kind)) for kind in declared.reports]
    return WarehouseModel(
        engine=declared.engine,
        production=declared.production,
        why=declared.why,
        tables=tuple(fact_table_of(kind) for kind in declared.tables),
        reports=tuple(
            Report(
                name=name,
                table=fact_table_of(mark.of).name,
                groups=tuple(group for group, _, _ in mark.groups),
                measures=tuple(measure for measure, _ in mark.measures),
                source=mark.source,
            )
            for name, mark in reports
        ),
    )


_KINDS: Mapping[type, ColumnKind] = {
    bool: "boolean",
    dt.datetime: "time",
    str: "text",
    int: "integer",
    float: "number",
    dt.date: "date",
}


def _kind(cls: type, field: str, hint: Any) -> ColumnKind:
    plain = bare(hint)
    if get_origin(plain) is Literal and all(isinstance(value, str) for value in get_args(plain)):
        return "text"
    if isinstance(plain, type) and issubclass(plain, enum.Enum) and all(isinstance(v.value, str) for v in plain):
        return "text"
    if isinstance(plain, type) and plain in _KINDS:
        return _KINDS[plain]
    raise DeclarationError(
        f"{field!r} of {cls.__name__} is {getattr(plain, '__name__', plain)}, which no column of facts holds",
        hint="use str, int, float, bool, datetime, date, a Literal or Enum of texts; money as int of cents",
    )


def bare(hint: Any) -> Any:
    """Take `Annotated`, ``None`` and `NewType` off a type."""
    if get_origin(hint) is typing.Annotated:
        return bare(get_args(hint)[0])
    if isinstance(hint, typing.NewType):
        return bare(hint.__supertype__)
    if get_origin(hint) in (typing.Union, types.UnionType):
        rest = [option for option in get_args(hint) if option is not type(None)]
        return bare(rest[0]) if len(rest) == 1 else hint
    return hint


def _report(cls: type, of: type, table: FactTable, place: str) -> ReportMark:
    kinds = {column.name: column.kind for column in table.columns}
    groups: list[tuple[str, str, bool]] = []
    measures: list[tuple[str, Any]] = []
    hints = get_type_hints(cls, include_extras=True)
    for name in field_names(cls):
        said = _said(hints[name])
        column = name if said is None else (said.column or table.time) if isinstance(said, Day) else _column(said)
        if column:
            _check_names(cls, "reads", [column], kinds)
        _check_measured(cls, name, said, kinds.get(column, "text"))
        if said is None or isinstance(said, Day):
            groups.append((name, column, said is not None))
        else:
            measures.append((name, said))
    if not measures:
        raise DeclarationError(
            f"report {cls.__name__} measures nothing", hint="add a field such as orders: Annotated[int, Count()]"
        )
    return ReportMark(
        of=of, groups=tuple(groups), measures=tuple(measures), where={}, order=(), limit=1, source=place
    )  # fmt: skip


def _said(hint: Any) -> Said | None:
    if get_origin(hint) is not typing.Annotated:
        return None
    return next((mark for mark in get_args(hint)[1:] if isinstance(mark, Said)), None)


def _column(said: Said) -> str:
    return "" if isinstance(said, Count) else said.column


def _check_measured(cls: type, name: str, said: Said | None, kind: ColumnKind) -> None:
    wrong = (isinstance(said, Day) and kind != "time") or (isinstance(said, Sum) and kind not in ("integer", "number"))
    if wrong:
        raise DeclarationError(
            f"{name!r} of report {cls.__name__} takes the {type(said).__name__.lower()} of a column that is {kind}",
            hint="Day takes a time, Sum takes numbers",
        )


def _check_names(cls: type, what: str, names: typing.Iterable[str], known: typing.Iterable[str]) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            raise DeclarationError(
                f"report {cls.__name__} {what} {name!r}, which is not there", hint=f"there are: {', '.join(known)}"
            )
