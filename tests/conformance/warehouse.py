"""The contract of a `Warehouse`, sentence by sentence. Subclasses bring the fixture ``depot``."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import pytest
from msgspec.structs import replace

from shoal.drivers.base import FactBatch, FactColumn, FactTable, Group, Measure, ReportQuery, Warehouse
from shoal.drivers.memory import MemoryWarehouse
from shoal.errors import Conflict, EngineError, MigrationError

SALES = FactTable(
    name="sales",
    time="at",
    columns=(
        FactColumn(name="at", kind="time"),
        FactColumn(name="sku", kind="text"),
        FactColumn(name="amount", kind="integer"),
        FactColumn(name="weight", kind="number"),
        FactColumn(name="gift", kind="boolean"),
        FactColumn(name="due", kind="date"),
    ),
)
VISITS = FactTable(
    name="order", time="time", columns=(FactColumn(name="time", kind="time"), FactColumn(name="select", kind="text"))
)
"""Its names are words of SQL."""

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
TOTAL = ReportQuery(
    table=SALES,
    groups=(),
    measures=(Measure(name="facts", aggregate="count"), Measure(name="sum", aggregate="sum", column="amount")),
)
BY_SKU = ReportQuery(
    table=SALES,
    groups=(Group(name="sku", column="sku"),),
    measures=(Measure(name="facts", aggregate="count"), Measure(name="sum", aggregate="sum", column="amount")),
    order=("-sum",),
)


class WarehouseHarness(Protocol):
    """One empty warehouse."""

    async def warehouse(self) -> Warehouse:
        """Open it, as the next process would; the one before is closed."""
        ...


def sale(sku: str | None = "mug", amount: int | None = 5, at: datetime | None = NOON) -> tuple[object, ...]:
    return (at, sku, amount, 0.5, True, date(2026, 3, 2))


def batch(number: int, *facts: tuple[object, ...], source: str = "orders", table: str = "sales") -> FactBatch:
    columns = tuple(list(column) for column in zip(*facts, strict=True))
    facts_of = ((table, columns),) if facts else ()
    return FactBatch(source=source, id=f"b{number}", after=f"b{number - 1}" if number > 1 else "", facts=facts_of)


async def ready(depot: WarehouseHarness) -> Warehouse:
    warehouse = await depot.warehouse()
    await warehouse.prepare([SALES, VISITS])
    return warehouse


async def total(warehouse: Warehouse) -> Mapping[str, object]:
    (row,) = await warehouse.report(TOTAL)
    return row


class AppendContract:
    """Batches: once, in order, all or nothing, for good."""

    async def test_a_batch_is_there_once(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        assert await warehouse.latest("orders") == ""
        assert await warehouse.append(batch(1, sale(), sale(amount=7)))
        assert not await warehouse.append(batch(1, sale(), sale(amount=7)))
        assert await warehouse.latest("orders") == "b1"
        assert await total(warehouse) == {"facts": 2, "sum": 12}

    async def test_tries_at_the_same_time_append_once(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        answers = await asyncio.gather(*(warehouse.append(batch(1, sale())) for _ in range(8)))
        assert sorted(answers) == [False] * 7 + [True]
        assert (await total(warehouse))["facts"] == 1

    async def test_a_gap_is_refused_and_appends_nothing(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        with pytest.raises(Conflict):
            await warehouse.append(batch(2, sale()))
        assert (await total(warehouse))["facts"] == 0

    async def test_a_chain_that_forked_is_refused(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        for number in (1, 2):
            await warehouse.append(batch(number, sale()))
        for earlier in (batch(1, sale()), replace(batch(2, sale()), id="of an older copy of the source")):
            with pytest.raises(Conflict):
                await warehouse.append(earlier)
        assert (await total(warehouse))["facts"] == 2

    async def test_each_source_has_a_chain_of_its_own(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        assert await warehouse.append(batch(1, sale()))
        assert await warehouse.append(batch(1, sale(), source="another store"))
        assert (await total(warehouse))["facts"] == 2

    async def test_a_batch_that_fails_leaves_nothing(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        good = batch(1, sale()).facts
        for bad in (("nowhere", (["x"],)), ("sales", ([NOON, NOON], ["a"], [1], [1.0], [True], [date.min]))):
            with pytest.raises(EngineError):
                await warehouse.append(replace(batch(1), facts=(*good, bad)))
        assert (await total(warehouse))["facts"] == 0
        assert await warehouse.latest("orders") == ""
        assert await warehouse.append(replace(batch(1), facts=good))

    async def test_an_empty_batch_counts(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        assert await warehouse.append(batch(1))
        assert await warehouse.append(batch(2, sale()))

    async def test_what_was_appended_stays(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        await warehouse.append(batch(1, sale()))
        await warehouse.close()
        again = await ready(depot)
        assert (await total(again))["facts"] == 1
        assert not await again.append(batch(1, sale()))
        assert await again.append(batch(2, sale()))


class TableContract:
    """Tables are made and widened, never changed."""

    async def test_a_column_that_is_new_is_null_in_earlier_facts(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        await warehouse.append(batch(1, sale()))
        wider = FactTable(name="sales", time="at", columns=(FactColumn(name="channel", kind="text"), *SALES.columns))
        await warehouse.prepare([wider])
        await warehouse.append(batch(2, ("web", *sale())))
        rows = await warehouse.report(
            ReportQuery(
                table=wider,
                groups=(Group(name="channel", column="channel"),),
                measures=(Measure(name="facts", aggregate="count"),),
            )
        )
        assert [dict(row) for row in rows] == [{"channel": "web", "facts": 1}, {"channel": None, "facts": 1}]

    async def test_a_column_of_another_kind_is_refused(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        other = FactTable(name="sales", time="at", columns=(*SALES.columns[:2], FactColumn(name="amount", kind="text")))
        with pytest.raises(MigrationError):
            await warehouse.prepare([other])
        assert (await total(warehouse))["facts"] == 0

    async def test_names_may_be_words_of_sql(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        await warehouse.append(batch(1, (NOON, "where"), table="order"))
        (row,) = await warehouse.report(
            ReportQuery(
                table=VISITS,
                groups=(Group(name="group", column="select"),),
                measures=(Measure(name="from", aggregate="greatest", column="time"),),
            )
        )
        assert dict(row) == {"group": "where", "from": NOON}

    async def test_facts_that_are_old_are_forgotten(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        await warehouse.append(batch(1, sale(at=NOON - timedelta(days=2)), sale(), sale(at=None)))
        assert await warehouse.forget(SALES, NOON) == 1
        assert (await total(warehouse))["facts"] == 2
        assert not await warehouse.append(batch(1, sale()))


class ReportContract:
    """Reports mean the same everywhere."""

    async def test_values_come_back_as_they_were(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        texts = ["ä €  ' \" \\ 🐟 \n", "", "null", "; drop table sales"]
        at = NOON.astimezone()
        await warehouse.append(batch(1, *((at, text, 2**63 - 1, -0.1, False, date(1999, 12, 31)) for text in texts)))
        rows = await warehouse.report(
            ReportQuery(
                table=SALES,
                groups=tuple(Group(name=c.name, column=c.name) for c in SALES.columns),
                measures=(Measure(name="facts", aggregate="count"),),
            )
        )
        assert {str(row["sku"]) for row in rows} == set(texts)
        assert all(
            (row["at"], row["amount"], row["weight"], row["gift"], row["due"])
            == (NOON, 2**63 - 1, -0.1, False, date(1999, 12, 31))
            for row in rows
        )

    async def test_days_are_those_of_utc(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        late = datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)
        await warehouse.append(batch(1, sale(at=late), sale(at=late + timedelta(microseconds=1)), sale(at=None)))
        rows = await warehouse.report(
            ReportQuery(
                table=SALES,
                groups=(Group(name="day", column="at", by_day=True),),
                measures=(Measure(name="facts", aggregate="count"),),
            )
        )
        assert [row["day"] for row in rows] == [date(2026, 3, 1), date(2026, 3, 2), None]

    async def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(
        self, depot: WarehouseHarness
    ) -> None:
        warehouse = await ready(depot)
        step = timedelta(microseconds=1)
        await warehouse.append(batch(1, *(sale(at=NOON + n * step) for n in range(4)), sale(at=None)))
        for since, until, expected in (
            (NOON + step, NOON + 3 * step, 2),
            (NOON, None, 4),
            (None, NOON, 0),
            (None, None, 5),
        ):
            (row,) = await warehouse.report(_replace(TOTAL, since=since, until=until))
            assert row["facts"] == expected

    async def test_no_fact_is_a_row_only_where_nothing_is_grouped(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        assert await total(warehouse) == {"facts": 0, "sum": None}
        assert await warehouse.report(BY_SKU) == []

    async def test_rows_are_ordered_with_nulls_last_and_limited(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        await warehouse.append(batch(1, sale("b", 2), sale("a", 2), sale("c", 9), sale("d", None), sale(None, 1)))
        names = [row["sku"] for row in await warehouse.report(BY_SKU)]
        assert names == ["c", "a", "b", None, "d"]
        assert [row["sku"] for row in await warehouse.report(_replace(BY_SKU, limit=2))] == ["c", "a"]

    async def test_conditions_hold(self, depot: WarehouseHarness) -> None:
        warehouse = await ready(depot)
        await warehouse.append(batch(1, sale("a", 1), sale("b", 2), sale(None, 4)))
        for where, expected in (({"sku": "a"}, 1), ({"sku": None}, 4), ({"sku": "b", "gift": True}, 2)):
            (row,) = await warehouse.report(_replace(TOTAL, where=where))
            assert row["sum"] == expected

    async def test_whatever_is_asked_the_answer_is_that_of_the_reference(self, depot: WarehouseHarness) -> None:
        chance, warehouse, reference = random.Random(7), await ready(depot), MemoryWarehouse()  # noqa: S311
        await reference.prepare([SALES])
        for number in range(1, 5):
            some = batch(number, *(_any_sale(chance) for _ in range(50)))
            await warehouse.append(some)
            await reference.append(some)
        for _ in range(40):
            query = _any_query(chance)
            assert [*map(dict, await warehouse.report(query))] == [*map(dict, await reference.report(query))], query


def _replace(query: ReportQuery, **changes: Any) -> ReportQuery:
    return replace(query, **changes)


def _any_sale(chance: random.Random) -> tuple[object, ...]:
    at = NOON + timedelta(hours=chance.randrange(-72, 72))
    return (
        chance.choice([at, at, at, None]),
        chance.choice(["a", "b", "c", None]),
        chance.choice([None, -1, 0, 5, 2**40]),
        chance.choice([None, 0.25, -2.0]),
        chance.choice([None, True, False]),
        chance.choice([None, date(2026, 1, 1), date(2026, 1, 2)]),
    )


def _any_query(chance: random.Random) -> ReportQuery:
    groups: Sequence[Group] = chance.sample(
        [
            Group(name="day", column="at", by_day=True),
            Group(name="sku", column="sku"),
            Group(name="gift", column="gift"),
        ],
        chance.randrange(3),
    )
    measures = chance.sample(
        [
            Measure(name="facts", aggregate="count"),
            Measure(name="kinds", aggregate="distinct", column="sku"),
            Measure(name="sum", aggregate="sum", column="amount"),
            Measure(name="weight", aggregate="sum", column="weight"),
            Measure(name="first", aggregate="least", column="at"),
            Measure(name="last", aggregate="greatest", column="due"),
        ],
        chance.randrange(1, 5),
    )
    names = [*(group.name for group in groups), *(measure.name for measure in measures)]
    return ReportQuery(
        table=SALES,
        groups=tuple(groups),
        measures=tuple(measures),
        where=chance.choice([{}, {"gift": True}, {"sku": None}]),
        since=chance.choice([None, NOON]),
        until=chance.choice([None, NOON + timedelta(hours=24)]),
        order=tuple(chance.choice(["", "-"]) + name for name in chance.sample(names, chance.randrange(len(names)))),
        limit=chance.choice([3, 1000]),
    )
