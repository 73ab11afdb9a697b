"""Every warehouse keeps the contract: the reference, and DuckDB on a real file; and what a killed process leaves."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from shoal.drivers import open_warehouse
from shoal.drivers.base import ReportQuery, Warehouse
from shoal.drivers.duckdb import sql
from shoal.drivers.duckdb.warehouse import REPORTS
from shoal.drivers.memory import MemoryWarehouse
from shoal.errors import Unavailable
from tests.conformance.warehouse import BY_SKU, SALES, AppendContract, ReportContract, TableContract, batch, sale
from tests.drivers.hearing import hearing

KILLED = """
import asyncio, os, signal, sys
from shoal.drivers import open_warehouse
from shoal.drivers.duckdb import sql
from msgspec.structs import replace
from tests.conformance.warehouse import SALES, batch, sale

when, plain = sys.argv[2], sql.parameters

async def main():
    warehouse = open_warehouse(sys.argv[1])
    await warehouse.open()
    await warehouse.prepare([SALES])
    await warehouse.append(batch(1, sale("first")))
    if when == "within":  # the transaction has begun, and half of its facts are in it
        def die(values):
            if values[1][0] == "second half":
                os.kill(os.getpid(), signal.SIGKILL)
            return plain(values)
        sql.parameters = die
    halves = batch(2, sale("half")).facts + batch(2, sale("second half")).facts
    await warehouse.append(replace(batch(2), facts=halves))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


class Shelf:
    """One warehouse that stays while the process does."""

    def __init__(self) -> None:
        self._warehouse = MemoryWarehouse()

    async def warehouse(self) -> Warehouse:
        return self._warehouse


class File:
    """One file, opened again and again."""

    def __init__(self, folder: Path) -> None:
        self.url = f"duckdb://{folder}/a folder/facts.duckdb".replace(" ", "%20")
        self.opened: list[Warehouse] = []

    async def warehouse(self) -> Warehouse:
        self.opened.append(open_warehouse(self.url))
        await self.opened[-1].open()
        return self.opened[-1]


class TestMemory(AppendContract, TableContract, ReportContract):
    @pytest.fixture
    def depot(self) -> Shelf:
        return Shelf()


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[File]:
    found = File(tmp_path)
    yield found
    for warehouse in found.opened:
        await warehouse.close()


class TestDuckDB(AppendContract, TableContract, ReportContract):
    @pytest.fixture
    def depot(self, file: File) -> File:
        return file


@pytest.mark.parametrize("when", ["within", "after"])
async def test_a_killed_process_leaves_a_batch_whole_or_not_at_all(file: File, when: str) -> None:
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, file.url, when], check=False, env={**os.environ}, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    warehouse = await file.warehouse()
    await warehouse.prepare([SALES])
    assert await warehouse.latest("orders") == ("b1" if when == "within" else "b2")
    halves = batch(2, sale("half")).facts + batch(2, sale("second half")).facts
    again = replace(batch(2), facts=halves)
    assert await warehouse.append(again) is (when == "within")
    assert {row["sku"]: row["facts"] for row in await warehouse.report(BY_SKU)} == {
        "first": 1, "half": 1, "second half": 1,
    }  # fmt: skip


async def test_another_process_finds_it_taken(file: File) -> None:
    warehouse = await file.warehouse()
    script = (
        "import asyncio; from shoal.drivers import open_warehouse; from shoal.errors import Unavailable\n"
        "async def main():\n"
        "    try: await open_warehouse(__import__('sys').argv[1]).open()\n"
        "    except Unavailable as error: print(error.hint)\n"
        "asyncio.run(main())"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script, file.url], check=True, capture_output=True, text=True, timeout=60
    )
    assert "one process at a time" in done.stdout
    await warehouse.prepare([SALES])


async def test_reports_and_batches_are_told_and_no_value(file: File) -> None:
    warehouse = await file.warehouse()
    await warehouse.prepare([SALES])
    with hearing() as heard:
        await warehouse.append(batch(1, sale("canary")))
        await warehouse.report(replace(BY_SKU, where={"sku": "canary"}))
    append, report = heard.all
    assert append == "duckdb append sales"
    assert report.startswith("duckdb select ")
    assert "canary" not in report


async def test_only_the_user_may_enter_its_folder(file: File, tmp_path: Path) -> None:
    await file.warehouse()
    assert stat.S_IMODE((tmp_path / "a folder").stat().st_mode) == 0o700


async def test_nothing_is_asked_of_what_is_not_open(file: File) -> None:
    with pytest.raises(Unavailable):
        await open_warehouse(file.url).report(BY_SKU)


async def test_a_cancelled_append_is_whole(file: File) -> None:
    warehouse = await file.warehouse()
    await warehouse.prepare([SALES])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.0001):
            await warehouse.append(batch(1, *(sale() for _ in range(5000))))
    latest = await warehouse.latest("orders")
    rows = await warehouse.report(BY_SKU)
    assert [row["facts"] for row in rows] == [5000] * bool(latest)


@pytest.mark.parametrize("ended", ["cancelled", "closed"])
async def test_reports_that_nobody_waits_for_hold_up_nothing(
    file: File, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    warehouse = await file.warehouse()
    await warehouse.prepare([SALES])
    begun = threading.Semaphore(0)

    def endless(_: ReportQuery) -> sql.Statement:
        begun.release()
        return "select count(*), sum(a.range + b.range) from range(1000000000) a, range(1000000000) b", []

    with monkeypatch.context() as planted:
        planted.setattr(sql, "select", endless)
        reports = [asyncio.create_task(warehouse.report(BY_SKU)) for _ in range(4)]
        for _ in range(REPORTS):
            assert await asyncio.to_thread(begun.acquire, timeout=30)
        async with asyncio.timeout(30):
            assert await warehouse.append(batch(1, sale()))
            if ended == "closed":
                await warehouse.close()
            else:
                assert all(report.cancel() for report in reports)
            answers = await asyncio.gather(*reports, return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable if ended == "closed" else asyncio.CancelledError}
    async with asyncio.timeout(30):
        assert [row["facts"] for row in await (await ready_again(file)).report(BY_SKU)] == [1]


async def ready_again(file: File) -> Warehouse:
    """Open the file, which the warehouse before has let go of."""
    await file.opened[-1].close()
    warehouse = await file.warehouse()
    await warehouse.prepare([SALES])
    return warehouse


def test_the_library_is_imported_by_who_opens_a_file_and_nobody_else() -> None:
    script = (
        "import sys, shoal.runtime.host, shoal.drivers.duckdb, shop.analytics.service; print('duckdb' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)  # noqa: S603 - ours
    assert done.stdout == "False\n"


def test_reports_are_one_plain_select() -> None:
    text, values = sql.select(BY_SKU)
    assert text == (
        'select "sku" as "sku", count(*) as "facts", cast(sum("amount") as BIGINT) as "sum" from "sales" group by 1 '
        'order by "sum" desc nulls last, "sku" asc nulls last limit 1000'
    )
    assert values == []
