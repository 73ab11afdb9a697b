"""Facts commit with the effect of their event, and are in the warehouse once, whatever fails between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from shoal import (
    Clock,
    Count,
    DuckDB,
    Postgres,
    Problem,
    Reports,
    Service,
    Sum,
    System,
    Transaction,
    Unavailable,
    Warehouse,
    anyone,
    event,
    fact_table,
    record,
    report,
)  # fmt: skip
from shoal.drivers.base import FactBatch
from shoal.drivers.memory import MemoryWarehouse
from shoal.errors import TooLarge
from shoal.model.names import stream
from shoal.runtime.warehouse import side, staging
from shoal.runtime.warehouse.shapes import table_of
from shoal.runtime.warehouse.staging import LOADS, waiting
from tests.runtime.world import World, running
from tests.telemetry.received import Seen, recorded


@event("till.sold", key="item")
class Sold(msgspec.Struct, frozen=True, kw_only=True):
    item: str
    amount: int


@fact_table("sales", keep_days=30)
class Sale(msgspec.Struct, frozen=True, kw_only=True):
    item: str
    amount: int
    at: datetime


@fact_table("parcels")
class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    kilos: float
    at: datetime


@fact_table("strays")
class Stray(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime


@record("sold", key="item")
class Noted(msgspec.Struct, frozen=True, kw_only=True):
    item: str


@report(Sale, order=["item"])
class Total(msgspec.Struct, frozen=True, kw_only=True):
    item: str
    sales: Annotated[int, Count()]
    amount: Annotated[int, Sum("amount")]


@report(Sale)
class Odd(msgspec.Struct, frozen=True, kw_only=True):
    sales: Annotated[int, Count()]


till = Service("till", store=Postgres(), publishes=[Sold])
books = Service("books", store=Postgres(), warehouse=DuckDB(tables=[Sale, Parcel], reports=[Total]))
system = System("sys", services=[till, books])
failures: list[str] = []


@till.post("/sold", access=anyone)
async def sell(sold: list[Sold], tx: Transaction) -> None:
    for one in sold:
        tx.publish(one)


@books.on(Sold, attempts=5, backoff=0.001)
async def note(event: Sold, facts: Warehouse, tx: Transaction, clock: Clock) -> None:
    facts.append(Sale(item=event.item, amount=event.amount, at=clock.now()))
    tx.put(Noted(item=event.item))
    if failures:
        raise ValueError(failures.pop())


@books.get("/totals", access=anyone)
async def totals(reports: Reports, odd: bool = False, item: str = "", column: str = "item") -> list[Total]:
    if odd:
        await reports.read(Odd)
    return await reports.read(Total, where={column: item} if item else None)


@books.post("/corrections", access=anyone, status=204)
async def correct(sale: Sale, facts: Warehouse, refused: bool = False) -> None:
    facts.append(sale)
    if refused:
        raise Problem(409, "refused", "not this one")


@books.post("/parcels", access=anyone, status=204)
async def weigh(kilos: str, facts: Warehouse, clock: Clock) -> None:
    facts.append(Parcel(kilos=float(kilos), at=clock.now()))


@books.post("/strays", access=anyone, status=204)
async def stray(facts: Warehouse, clock: Clock) -> None:
    facts.append(Stray(at=clock.now()))


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(side, "GATHER", 0.001)
    monkeypatch.setattr(side, "LOOK", 0.01)
    failures.clear()
    async with running(system, tmp_path) as world:
        yield world


async def test_a_batch_begins_a_trace_and_links_to_those_who_appended_its_facts(tmp_path: Path) -> None:
    async with running(system, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as world:
        await sell_some(world, 1, 2)
        spans, loads = list[Seen](), list[Seen]()
        async with asyncio.timeout(10):
            while sum(load.attributes["shoal.count"] for load in loads) < 2:
                await asyncio.sleep(0.01)
                spans += recorded(world.recorders.values())
                loads = [span for span in spans if span.name == "load warehouse"]
    appended = {(span.trace_id, span.span_id) for span in spans if span.name == "process till.sold.v1"}
    assert {link for load in loads for link in load.links} <= appended
    assert all(load.links and not load.parent_id and load.kind == "INTERNAL" for load in loads)


async def sell_some(world: World, *amounts: int) -> None:
    answer = await world.post("/sold", json=[{"item": "mug", "amount": amount} for amount in amounts])
    assert answer.status == 204, answer.body
    await world.settle()


async def loaded(world: World) -> list[Any]:
    """Wait until nothing is staged, and read the report."""
    async with asyncio.timeout(10):
        while await waiting(world.stores["books"]):  # noqa: ASYNC110 - the loader tells nobody
            await asyncio.sleep(0.001)
    answer = await world.get("/totals")
    assert answer.status == 200, answer.body
    return list(answer.json())


async def test_what_is_sold_is_in_the_report(world: World) -> None:
    await sell_some(world, 3, 4)
    assert await loaded(world) == [{"item": "mug", "sales": 2, "amount": 7}]
    assert "shoal_warehouse_up 1.0" in (await world.direct("books", "GET", "/metrics")).body.decode()


async def test_an_attempt_that_failed_leaves_no_fact(world: World) -> None:
    failures.extend(["once", "twice"])
    await sell_some(world, 3)
    assert not failures
    assert await loaded(world) == [{"item": "mug", "sales": 1, "amount": 3}]


async def test_a_repeated_delivery_appends_nothing(world: World) -> None:
    await sell_some(world, 3)
    assert await loaded(world)
    (message,) = world.broker.log(stream("sys", "till"))
    await world.broker.publish([msgspec.structs.replace(message, id="another")])
    await world.settle()
    assert await loaded(world) == [{"item": "mug", "sales": 1, "amount": 3}]


async def test_requests_append_too_and_only_when_they_succeed(world: World) -> None:
    fact = {"item": "cup", "amount": -2, "at": "2026-01-01T00:00:00Z"}
    assert (await world.post("/corrections?refused=true", json=fact)).status == 409
    assert (await world.post("/corrections", json=fact)).status == 204
    assert await loaded(world) == [{"item": "cup", "sales": 1, "amount": -2}]


@pytest.mark.parametrize("fact", [{"amount": 2**63}, {"item": "nul \0"}, {"at": "2026-01-01T00:00:00"}])
async def test_what_no_warehouse_holds_is_refused_where_it_is_appended(world: World, fact: dict[str, object]) -> None:
    good = {"item": "cup", "amount": 1, "at": "2026-01-01T00:00:00Z"}
    assert (await world.post("/corrections", json={**good, **fact})).status >= 400
    assert await loaded(world) == []


@pytest.mark.parametrize("kilos", ["nan", "inf", "-inf"])
async def test_what_is_no_number_is_refused_where_it_is_appended(
    world: World, caplog: pytest.LogCaptureFixture, kilos: str
) -> None:
    assert (await world.post("/parcels?kilos=1.5", json={})).status == 204
    assert (await world.post(f"/parcels?kilos={kilos}", json={})).status >= 400
    assert f"{kilos} is no number" in caplog.text
    assert await loaded(world) == []


async def test_facts_and_reports_are_declared(world: World, caplog: pytest.LogCaptureFixture) -> None:
    assert (await world.post("/strays", json={})).status == 500
    assert (await world.get("/totals?odd=true")).status == 500
    assert (await world.get("/totals?item=mug&column=colour")).status == 500
    for name in ("Stray", "Odd", "'colour'"):
        assert name in caplog.text


async def test_a_report_is_narrowed(world: World) -> None:
    for item in ("cup", "mug"):
        await world.post("/corrections", json={"item": item, "amount": 1, "at": "2026-01-01T00:00:00Z"})
    assert len(await loaded(world)) == 2
    assert [row["item"] for row in (await world.get("/totals?item=cup")).json()] == ["cup"]


class Flaky(MemoryWarehouse):
    """Fails at the points that a test names, each once."""

    def __init__(self) -> None:
        super().__init__()
        self.points: list[str] = []

    async def append(self, batch: FactBatch) -> bool:
        self._come_by("before")
        appended = await super().append(batch)
        self._come_by("after")
        return appended

    def _come_by(self, point: str) -> None:
        if self.points[:1] == [point]:
            self.points.pop(0)
            raise Unavailable("the warehouse is away")


async def test_a_warehouse_that_comes_and_goes_has_each_fact_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaky = Flaky()
    monkeypatch.setattr(world.hosts["books"].warehouse, "append", flaky.append)
    monkeypatch.setattr(world.hosts["books"].warehouse, "report", flaky.report)
    await flaky.prepare([table_of(Sale)])
    flaky.points = ["before", "after", "after", "before"]
    for amount in (1, 2, 4, 8):
        await sell_some(world, amount)
    assert await loaded(world) == [{"item": "mug", "sales": 4, "amount": 15}]
    assert not flaky.points


async def test_who_ends_while_the_warehouse_is_away_tries_once_more(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    flaky = Flaky()
    await flaky.prepare([table_of(Sale)])
    monkeypatch.setattr(world.hosts["books"].warehouse, "append", flaky.append)
    for bound in ("FIRST", "HELD", "LAST"):
        monkeypatch.setattr(side, bound, 3600.0)
    await sell_some(world, 1)
    await loaded(world)  # a round that works begins with the first delay again
    flaky.points = ["before"]
    await sell_some(world, 2)
    async with asyncio.timeout(10):
        while "facts wait" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.001)
    await world.hosts["books"].stop()
    assert await waiting(world.stores["books"]) == 0


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages and batches have three facts, in a world that begins afterwards."""
    monkeypatch.setattr(staging, "LARGEST", 3)
    monkeypatch.setattr(side, "LARGEST", 3)


@pytest.mark.usefixtures("small")
async def test_batches_go_on_until_nothing_is_left(world: World) -> None:
    await sell_some(world, *range(1, 11))
    assert await loaded(world) == [{"item": "mug", "sales": 10, "amount": 55}]


async def test_a_batch_is_let_go_of_in_as_many_transactions_as_the_store_wants(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: Any = type(world.stores["books"].session())
    delete, away = kind.delete, [Unavailable("away")]
    sizes: dict[int, int] = {}

    def deleting(session: Any, *args: Any) -> None:
        sizes[id(session)] = sizes.get(id(session), 0) + 1
        if sizes[id(session)] > 4:
            raise TooLarge("four at once")
        if len(sizes) > 6 and away:
            raise away.pop()
        delete(session, *args)

    monkeypatch.setattr(kind, "delete", deleting)
    await sell_some(world, *range(1, 31))
    assert await loaded(world) == [{"item": "mug", "sales": 30, "amount": 465}]
    assert not away


async def test_what_is_too_large_for_the_warehouse_keeps_nobody_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse = world.hosts["books"].warehouse
    assert warehouse is not None
    append = warehouse.append

    async def narrow(batch: FactBatch) -> bool:
        amounts = [amount for _, (_, some, *_) in batch.facts for amount in some]
        if len(amounts) > 3 or 1000 in amounts:
            raise TooLarge("more than the warehouse takes")
        return await append(batch)

    monkeypatch.setattr(warehouse, "append", narrow)
    await sell_some(world, 1000, *range(1, 11))
    async with asyncio.timeout(10):
        while await waiting(world.stores["books"]) > 1:  # noqa: ASYNC110 - the loader tells nobody
            await asyncio.sleep(0.001)
    assert (await world.get("/totals")).json() == [{"item": "mug", "sales": 10, "amount": 55}]
    async with asyncio.timeout(10):
        while "stays in the store" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.001)
    assert caplog.text.count("stays in the store") == 1


@pytest.mark.parametrize("lost", ["warehouse", "store"])
async def test_facts_wait_while_store_and_warehouse_are_of_different_times(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, lost: str
) -> None:
    await sell_some(world, 1)
    assert await loaded(world)
    store, warehouse = world.stores["books"], world.hosts["books"].warehouse
    async with store.session() as session:
        earlier = await session.get(LOADS.table, "loads")
    await sell_some(world, 2)
    assert await loaded(world)
    assert earlier is not None
    if lost == "store":
        async with store.session() as session:
            session.put(LOADS.table, earlier)
    else:
        empty = MemoryWarehouse()
        await empty.prepare([table_of(Sale)])
        monkeypatch.setattr(warehouse, "append", empty.append)
    await sell_some(world, 4)
    async with asyncio.timeout(10):
        while "of different times" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.001)
    assert await waiting(store) == 1
    assert "shoal_warehouse_up 0.0" in (await world.direct("books", "GET", "/metrics")).body.decode()


async def test_facts_gather_for_as_long_as_the_warehouse_wants_and_who_leaves_loads_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse, batches = world.hosts["books"].warehouse, list[str]()
    assert warehouse is not None
    append = warehouse.append

    async def counted(batch: FactBatch) -> bool:
        batches.append(batch.id)
        return await append(batch)

    monkeypatch.setattr(warehouse, "append", counted)
    monkeypatch.setattr(warehouse, "every", 3600.0)
    for amount in range(20):
        await sell_some(world, amount)
    assert len(batches) <= 1, "one may have been on its way"
    await world.hosts["books"].stop()
    assert await waiting(world.stores["books"]) == 0
    assert len(batches) <= 2


async def test_old_facts_are_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old = datetime.now(UTC) - timedelta(days=31)
    for at in (old, datetime.now(UTC)):
        await world.post("/corrections", json={"item": "mug", "amount": 1, "at": at.isoformat()})
    assert await loaded(world)
    monkeypatch.setattr(side, "FORGET", 0.0)
    async with asyncio.timeout(10):
        while (await loaded(world))[0]["sales"] != 1:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
