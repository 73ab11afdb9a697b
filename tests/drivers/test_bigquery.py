"""BigQuery keeps the contract of warehouses, as far as a played one can tell: see `bigquery_played`."""

from collections.abc import AsyncIterator

import pytest

from shoal.drivers import open_warehouse
from shoal.drivers.bigquery import sql
from shoal.errors import Contended, DeclarationError, EngineError, TooLarge, Unavailable
from tests.conformance.warehouse import (
    BY_SKU,
    NOON,
    SALES,
    AppendContract,
    ReportContract,
    TableContract,
    batch,
    ready,
    sale,
    total,
)
from tests.drivers.depot import Depot
from tests.drivers.hearing import hearing

pytest.importorskip("sqlglot", reason="needs sqlglot, which reads BigQuery's SQL")
pytest.importorskip("duckdb", reason="needs shoal[warehouse], which runs it")

from tests.drivers.bigquery_played import PlayedBigQuery

Dataset = Depot[PlayedBigQuery]


@pytest.fixture
async def depot(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dataset]:
    depot = Depot(PlayedBigQuery())
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("GCE_METADATA_HOST", depot.played.place)
    await depot.played.start()
    yield depot
    await depot.close()


class TestBigQuery(AppendContract, TableContract, ReportContract):
    pass


async def test_a_batch_whose_answer_is_lost_is_there_once(depot: Dataset) -> None:
    warehouse = await ready(depot)
    depot.played.lost = 2
    assert await warehouse.append(batch(1, sale()))
    assert (await total(warehouse))["facts"] == 1
    assert await warehouse.append(batch(2, sale()))


async def test_it_waits_for_a_query_that_takes_long_and_reads_page_after_page(
    depot: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = await ready(depot)
    await warehouse.append(batch(1, *(sale(f"sku {number}") for number in range(7))))
    monkeypatch.setattr("shoal.drivers.bigquery.jobs.PAGE", 3)
    depot.played.slow = 1
    assert len(await warehouse.report(BY_SKU)) == 7


async def test_it_asks_again_when_there_is_too_much_to_do(depot: Dataset) -> None:
    warehouse = await ready(depot)
    depot.played.refusals = 2
    assert await warehouse.append(batch(1, sale()))


async def test_a_transaction_that_another_one_ended_is_told_at_once(depot: Dataset) -> None:
    warehouse = await ready(depot)
    await warehouse.append(batch(1, sale()))
    depot.played.overtaken = 1
    with pytest.raises(Contended):
        await warehouse.forget(SALES, NOON)
    assert await warehouse.append(batch(2, sale()))


async def test_each_query_is_told_and_no_value(depot: Dataset) -> None:
    warehouse = await ready(depot)
    with hearing() as heard:
        await warehouse.append(batch(1, sale("canary")))
        await warehouse.report(BY_SKU)
    assert heard.all[-1].startswith("gcp.bigquery town.facts select ")
    assert "canary" not in "".join(heard.all)


async def test_what_it_refuses_is_said(depot: Dataset) -> None:
    warehouse = await ready(depot)
    with pytest.raises(EngineError, match=r"BigQuery refused town\.facts: 400 invalidQuery"):
        await warehouse.append(batch(1, ("no time", *sale()[1:])))
    assert await warehouse.latest("orders") == ""


async def test_a_batch_that_is_too_large_is_told_before_it_is_sent(depot: Dataset) -> None:
    warehouse = await ready(depot)
    with pytest.raises(TooLarge, match="more than BigQuery takes"):
        await warehouse.append(batch(1, sale("x" * 10_000_000)))


async def test_one_that_does_not_answer_is_an_outage(depot: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = await ready(depot)
    monkeypatch.setattr("shoal.drivers.bigquery.jobs.PATIENCE", 0.0)
    await depot.played.stop()
    with pytest.raises(Unavailable):
        await warehouse.append(batch(1, sale()))


@pytest.mark.parametrize(
    "url", ["bigquery://town", "bigquery:///facts", "bigquery://town/facts?region=EU", "bigquery://town/facts?tls=0"]
)
def test_an_address_that_names_no_dataset_is_refused(url: str) -> None:
    with pytest.raises(DeclarationError):
        open_warehouse(url)


def test_tables_are_kept_by_day() -> None:
    assert sql.make(SALES).endswith("partition by date(`at`)")
