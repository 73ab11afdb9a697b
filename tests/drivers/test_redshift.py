"""Redshift keeps the contract of warehouses, as far as a played one can tell: see `redshift_played`."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from shoal.drivers import open_warehouse
from shoal.drivers.base import FactColumn, FactTable
from shoal.drivers.redshift import sql
from shoal.errors import Conflict, Contended, DeclarationError, EngineError, TooLarge, Unavailable
from tests.conformance.warehouse import (
    BY_SKU,
    NOON,
    SALES,
    TOTAL,
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

pytest.importorskip("aiobotocore", reason="needs shoal[aws], whose client asks")
pytest.importorskip("sqlglot", reason="needs sqlglot, which reads Redshift's SQL")
pytest.importorskip("duckdb", reason="needs shoal[warehouse], which runs it")

from tests.drivers.redshift_played import PlayedRedshift

Database = Depot[PlayedRedshift]


@pytest.fixture
async def depot() -> AsyncIterator[Database]:
    depot = Depot(PlayedRedshift())
    await depot.played.start()
    yield depot
    await depot.close()


class TestRedshift(AppendContract, TableContract, ReportContract):
    pass


async def test_a_batch_whose_answer_is_lost_is_there_once(depot: Database) -> None:
    warehouse = await ready(depot)
    depot.played.lost = 2
    assert await warehouse.append(batch(1, sale()))
    assert (await total(warehouse))["facts"] == 1


async def test_whoever_was_frozen_and_lost_the_right_appends_nothing(depot: Database) -> None:
    """The other has appended its batch between our look at the latest one and our transaction."""
    warehouse, other = await ready(depot), await ready(depot)
    await warehouse.append(batch(1, sale()))
    theirs = replace(batch(2, sale()), id="theirs")
    depot.played.meanwhile = "lock", lambda: other.append(theirs)
    with pytest.raises(Conflict, match="would follow theirs"):
        await warehouse.append(batch(2, sale()))
    assert (await total(warehouse))["facts"] == 2


async def test_a_batch_that_a_slow_holder_appends_first_is_there_once(depot: Database) -> None:
    warehouse, other = await ready(depot), await ready(depot)
    depot.played.meanwhile = "lock", lambda: other.append(batch(1, sale()))
    assert not await warehouse.append(batch(1, sale()))
    assert (await total(warehouse))["facts"] == 1


async def test_it_waits_for_a_statement_that_takes_long_and_reads_page_after_page(depot: Database) -> None:
    warehouse = await ready(depot)
    await warehouse.append(batch(1, *(sale(f"sku {number}") for number in range(7))))
    depot.played.page, depot.played.slow = 3, 2
    assert len(await warehouse.report(BY_SKU)) == 7
    assert depot.played.operations[-6:] == ["DescribeStatement"] * 3 + ["GetStatementResult"] * 3


async def test_it_asks_again_when_there_is_too_much_to_do(depot: Database) -> None:
    warehouse = await ready(depot)
    depot.played.refusals = 2
    assert await warehouse.append(batch(1, sale()))


async def test_a_transaction_that_another_one_ended_is_told_at_once(depot: Database) -> None:
    warehouse = await ready(depot)
    depot.played.overtaken = 1
    with pytest.raises(Contended):
        await warehouse.forget(SALES, NOON)
    assert await warehouse.append(batch(1, sale()))


async def test_a_statement_that_somebody_stops_is_an_outage(depot: Database) -> None:
    warehouse = await ready(depot)
    depot.played.stopped = 1
    with pytest.raises(Unavailable, match="somebody stopped it"):
        await warehouse.report(TOTAL)


async def test_each_statement_is_told_once_and_no_value(depot: Database) -> None:
    warehouse = await ready(depot)
    with hearing() as heard:
        await warehouse.append(batch(1, sale("canary")))
        await warehouse.report(replace(BY_SKU, where={"sku": "canary"}))
    assert [one.split()[2] for one in heard.all] == ["select", "lock", "select"]
    assert heard.all[-1].startswith("aws.redshift town-facts/facts select ")
    assert "canary" not in "".join(heard.all)


async def test_what_it_refuses_is_said(depot: Database) -> None:
    warehouse = await ready(depot)
    with pytest.raises(EngineError, match="Redshift refused a statement in town-facts/facts: ERROR"):
        await warehouse.append(batch(1, ("no time", *sale()[1:])))
    assert await warehouse.latest("orders") == ""


async def test_a_client_that_is_too_old_is_named(depot: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = await ready(depot)
    monkeypatch.setattr("shoal.drivers.redshift.statements._named", lambda words: {"NotThereYet": [*words]})
    with pytest.raises(EngineError, match="does not know what Redshift is asked") as caught:
        await warehouse.latest("orders")
    assert "aiobotocore" in caught.value.hint


async def test_many_facts_travel_in_pieces_and_are_there_together(depot: Database) -> None:
    warehouse = await ready(depot)
    assert await warehouse.append(batch(1, *(sale("x" * 1000) for _ in range(300))))
    assert (await total(warehouse))["facts"] == 300


@pytest.mark.parametrize("facts", [[sale("x" * 60_000)], [sale("x" * 30_000)] * 80])
async def test_a_batch_that_is_too_large_is_told_before_it_is_sent(depot: Database, facts: list[tuple[object]]) -> None:
    warehouse = await ready(depot)
    asked = depot.played.requests
    with pytest.raises(TooLarge, match="more than Redshift takes"):
        await warehouse.append(batch(1, *facts))
    assert depot.played.requests == asked


async def test_an_empty_text_is_a_condition_like_any_other(depot: Database) -> None:
    warehouse = await ready(depot)
    await warehouse.append(batch(1, sale(""), sale("mug"), sale(None)))
    (row,) = await warehouse.report(replace(TOTAL, where={"sku": ""}))
    assert row["facts"] == 1


async def test_a_column_that_another_process_adds_first_is_no_failure(depot: Database) -> None:
    one, other = await ready(depot), await ready(depot)
    wider = FactTable(name="sales", time="at", columns=(*SALES.columns, FactColumn(name="channel", kind="text")))
    depot.played.meanwhile = "alter", lambda: other.prepare([wider])
    await one.prepare([wider])
    assert await one.append(batch(1, (*sale(), "web")))


async def test_a_workgroup_that_is_not_there_is_named(depot: Database) -> None:
    warehouse = open_warehouse(depot.played.url.replace("town-facts", "nowhere"))
    with pytest.raises(EngineError, match="ResourceNotFoundException") as raised:
        await warehouse.open()
    assert "make the workgroup" in raised.value.hint
    await warehouse.close()


async def test_one_that_does_not_answer_is_an_outage(depot: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = await ready(depot)
    monkeypatch.setattr("shoal.drivers.redshift.statements.PATIENCE", 0.0)
    await depot.played.stop()
    with pytest.raises(Unavailable):
        await warehouse.append(batch(1, sale()))


@pytest.mark.parametrize(
    "url",
    [
        "redshift:///town", "redshift:///town-facts/Facts?region=eu-central-1", "redshift:///town/facts?database=x",
        "redshift://127.0.0.1:9/t/facts",
    ],
)  # fmt: skip
def test_an_address_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(DeclarationError):
        open_warehouse(url)


def test_tables_are_sorted_by_their_time() -> None:
    assert sql.make(SALES).endswith('sortkey ("at")')
