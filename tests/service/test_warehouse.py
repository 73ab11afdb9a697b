"""What authors say about facts and reports is refused where it cannot be meant."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from shoal import BigQuery, Count, Day, DuckDB, Postgres, Redshift, Service, Sum, Warehouse, fact_table, report
from shoal.errors import DeclarationError
from shoal.model.system import System, from_json, to_json
from shoal.service.describe import describe_service
from shoal.service.warehouse import fact_table_of


class Size(Enum):
    SMALL = "s"


@fact_table("sales", keep_days=7)
class Sale(msgspec.Struct, frozen=True, kw_only=True):
    sku: str
    channel: Literal["web", "shop"] | None = None
    size: Size = Size.SMALL
    amount: Annotated[int, msgspec.Meta(ge=0)]
    weight: float
    gift: bool
    due: date
    at: datetime


@fact_table("others")
class Other(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime


@report(Sale)
class Total(msgspec.Struct, frozen=True, kw_only=True):
    day: Annotated[date, Day()]
    sku: str
    amount: Annotated[int, Sum("amount")]


books = Service("books", store=Postgres(), warehouse=DuckDB(tables=[Sale], reports=[Total]))


def test_a_table_has_the_kinds_of_its_fields() -> None:
    kinds = {column.name: column.kind for column in fact_table_of(Sale).columns}
    assert kinds == {
        "sku": "text", "channel": "text", "size": "text", "amount": "integer", "weight": "number", "gift": "boolean",
        "due": "date", "at": "time",
    }  # fmt: skip


def test_a_warehouse_is_described_and_survives_a_round_trip() -> None:
    described = describe_service(books)
    assert described.warehouse is not None
    assert [(r.name, r.table, r.groups, r.measures) for r in described.warehouse.reports] == [
        ("Total", "sales", ("day", "sku"), ("amount",))
    ]
    system = System(name="sys", services=(described,))
    assert from_json(to_json(system)) == system


@pytest.mark.parametrize(("declare", "production"), [(DuckDB, ""), (BigQuery, "bigquery"), (Redshift, "redshift")])
def test_a_laptop_has_duckdb_whatever_is_meant_for_production(declare: Any, production: str) -> None:
    declared = declare(tables=[Sale], why="facts")
    assert (declared.engine, declared.production, declared.why) == ("duckdb", production, "facts")
    with pytest.raises(DeclarationError, match="is no fact"):
        declare(tables=[str])


def table(name: str = "t", **fields: Any) -> type:
    kind = msgspec.defstruct("Made", [*fields.items()], kw_only=True)
    return fact_table(name)(kind)


def row(of: type = Sale, **fields: Any) -> type:
    return msgspec.defstruct("Made", [*fields.items()], kw_only=True)


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: table(at=datetime, price=Decimal), "no column of facts holds"),
        (lambda: table(at=datetime, lines=list[str]), "no column of facts holds"),
        (lambda: table(sku=str), "no field that holds a time"),
        (lambda: table("Sales", at=datetime), "no name that every warehouse takes"),
        (lambda: table("shoal_x", at=datetime), "no name that every warehouse takes"),
        (lambda: report(Sale)(row(sku=str)), "measures nothing"),
        (lambda: report(Sale)(row(colour=str, n=Annotated[int, Count()])), "'colour'"),
        (lambda: report(Sale)(row(n=Annotated[int, Sum("sku")])), "column that is text"),
        (lambda: report(Sale)(row(d=Annotated[date, Day("due")], n=Annotated[int, Count()])), "column that is date"),
        (lambda: report(Sale, order=["-x"])(row(n=Annotated[int, Count()])), "ordered by 'x'"),
        (lambda: report(Sale, where={"x": 1})(row(n=Annotated[int, Count()])), "filters by 'x'"),
        (lambda: report(Sale, limit=0)(row(n=Annotated[int, Count()])), "limit=0"),
        (lambda: report(Total)(row(n=Annotated[int, Count()])), "Total is no fact"),
        (lambda: DuckDB(tables=[Other], reports=[Total]), "not kept here"),
        (lambda: DuckDB(tables=[Sale, Sale]), "two fact tables"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(declare: Any, said: str) -> None:
    with pytest.raises(DeclarationError, match=said) as refused:
        declare()
    assert refused.value.where.startswith("tests/service/test_warehouse.py")


storeless = Service("storeless", warehouse=DuckDB(tables=[Sale]))
bare = Service("bare", store=Postgres())


@bare.post("/x")
async def append(facts: Warehouse) -> None: ...


def test_a_warehouse_needs_a_store_and_facts_need_a_warehouse() -> None:
    with pytest.raises(DeclarationError, match="no store, in which facts wait"):
        describe_service(storeless)
    with pytest.raises(DeclarationError, match="Warehouse"):
        describe_service(bare)
