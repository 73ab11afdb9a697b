"""A process that stages facts and loads them into a real file, until it is killed at a point that its caller names."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from shoal import Count, DuckDB, Postgres, Service, Sum, Transaction, Warehouse, event, fact_table, report
from shoal.drivers import open_store
from shoal.drivers.duckdb import sql
from shoal.runtime.clients import LocalTransport
from shoal.runtime.config import ServiceConfig
from shoal.runtime.host import Fittings, Host
from shoal.runtime.transaction import UnitOfWork
from shoal.runtime.warehouse import side, staging
from shoal.runtime.warehouse.reading import Reader
from shoal.runtime.warehouse.staging import Stager, waiting

FACTS = 30
POINTS = ("within", "appended", "")
"""Where one process after the other is killed; the last one is left alone."""


@event("till.sold", key="item")
class Sold(msgspec.Struct, frozen=True, kw_only=True):
    item: str


@fact_table("sales")
class Sale(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    at: datetime


@fact_table("visits")
class Visit(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    at: datetime


@report(Sale, order=["number"])
class Sales(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    times: Annotated[int, Count()]


@report(Visit)
class Visits(msgspec.Struct, frozen=True, kw_only=True):
    times: Annotated[int, Count()]
    sum: Annotated[int, Sum("number")]


books = Service("books", store=Postgres(migrations=""), warehouse=DuckDB(tables=[Sale, Visit], reports=[Sales, Visits]))


@books.on(Sold)
async def sold(event: Sold, facts: Warehouse, tx: Transaction) -> None:
    """Give the service events; nobody publishes any."""


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str) -> None:
    """Kill this process when it comes by a point."""
    if point == "appended":
        setattr(side, "settle", lambda *_: kill())  # noqa: B010 - planted
    elif point == "within":
        plain = sql.append

        def half(table: Any) -> str:
            if table.name == "visits":  # sales are in the open transaction
                kill()
            return plain(table)

        setattr(sql, "append", half)  # noqa: B010 - planted


async def main(store_url: str, warehouse_url: str, point: str) -> None:
    """Stage facts on an empty store, load, and print the reports."""
    for module in (staging, side):
        setattr(module, "LARGEST", 20)  # noqa: B010 - planted
    arm(point)
    config = ServiceConfig(
        system="t", entry=books.entry, store_url=store_url, warehouse_url=warehouse_url, environ={}, drain=5.0
    )
    host = Host(books, config, Fittings(transport=LocalTransport()))
    await host.start()
    store = open_store(store_url)
    await store.open()
    if point == POINTS[0]:
        stager = Stager("books", (Sale, Visit), lambda: None)
        for numbers in (range(FACTS // 2), range(FACTS // 2, FACTS)):
            async with store.session() as session:
                facts = stager.within(UnitOfWork(session, host.announcer))
                for number in numbers:
                    facts.append(Sale(number=number, at=datetime.now(UTC)))
                    facts.append(Visit(number=number, at=datetime.now(UTC)))
    while await waiting(store):  # noqa: ASYNC110 - the loader tells nobody
        await asyncio.sleep(0.01)
    assert host.warehouse is not None
    reports = Reader(books, host.warehouse)
    print([row.times for row in await reports.read(Sales)], await reports.read(Visits))  # noqa: T201 - for the test
    await store.close()
    await host.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
