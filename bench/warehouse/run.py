"""Measure B14: ten million facts into the embedded warehouse, and the shop's four reports over them."""

import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench.machine import Watch
from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section, Table
from bench.rounds import Say
from bench.statistics import Target, estimate
from bench.warehouse.facts import batches
from shoal.drivers import open_warehouse
from shoal.drivers.base import FactBatch, Warehouse
from shoal.runtime.warehouse.shapes import query_of, table_of
from shop.analytics.facts import FailedPayment, Milestone, Sale
from shop.analytics.reports import FailedPaymentsOfDay, RevenueOfDay, StepOfFunnel, TopProduct

FACTS, BATCH = 10_000_000, 50_000
ROUNDS = 25
REPORTS = (RevenueOfDay, StepOfFunnel, TopProduct, FailedPaymentsOfDay)
CHUNKS = 20
NEEDED = 4 * 1024**3
"""Bytes of disk; the file takes a fraction of it."""

ABOUT = """
Ten million facts of the shop's own tables (what became of some two million orders in two years, sales by line, refused
cards) are appended in batches of 50,000, each a durable commit; making the facts is not counted, turning them into what
the engine reads is. Then the shop's four reports are asked in turns, over all two years, while nothing else uses the
file. What stands before the warehouse in a running service, PostgreSQL with the facts that wait, is not part of it.
"""


async def run(effort: Effort, say: Say) -> Outcome:
    """Load, ask, and remove the file."""
    place = _place()
    warehouse = open_warehouse(f"duckdb://{place}/facts.duckdb")
    try:
        await warehouse.open()
        await warehouse.prepare([table_of(kind) for kind in (Milestone, Sale, FailedPayment)])
        watch = Watch()
        rates = await _load(warehouse, FACTS // 50 if effort.quick else FACTS, say)
        times = await _ask(warehouse, effort.choose(ROUNDS), say)
        size = _size(place)
        load = watch.read().load
    finally:
        await warehouse.close()
        shutil.rmtree(place)
    facts = {"load average": f"{load:.1f}", "size of the file": f"{size / 1024**2:.0f} MiB"}
    return Outcome(section=_section(rates, times, facts), rows={"facts per second": rates, **times})


def _place() -> Path:
    """Make a folder where there is room."""
    parent = tempfile.gettempdir()
    if shutil.disk_usage(parent).free < NEEDED:
        raise SystemExit(f"needs {NEEDED // 1024**3} GiB of disk at {parent}")
    return Path(tempfile.mkdtemp(prefix="shoal-bench-"))


def _size(place: Path) -> int:
    return sum(file.stat().st_size for file in place.iterdir())


async def _load(warehouse: Warehouse, facts: int, say: Say) -> list[float]:
    """Append everything; return the facts per second of each part."""
    rates: list[float] = []
    latest, made, seconds, total = "", 0, 0.0, 0
    for number, (count, some) in enumerate(batches(facts, BATCH)):
        batch = FactBatch(source="bench", id=str(number), after=latest, facts=some)
        began = time.perf_counter()
        assert await warehouse.append(batch)
        seconds += time.perf_counter() - began
        latest, made, total = batch.id, made + count, total + count
        if made >= facts // CHUNKS or total >= facts:
            rates.append(made / seconds)
            say(f"{total:,} facts, the last {made:,} at {rates[-1]:,.0f}/s")
            made, seconds = 0, 0.0
    return rates


async def _ask(warehouse: Warehouse, rounds: int, say: Say) -> dict[str, list[float]]:
    """Ask each report so often; return the milliseconds of each answer."""
    times: dict[str, list[float]] = {kind.__name__: [] for kind in REPORTS}
    for turn in range(rounds + 1):
        for kind in REPORTS:
            began = time.perf_counter()
            assert await warehouse.report(query_of(kind, None, None, {}, None))
            if turn:  # the first reads from the disk
                times[kind.__name__].append(1000 * (time.perf_counter() - began))
    for name, some in times.items():
        say(f"{name}: median {median(some):.0f} ms, longest {max(some):.0f} ms")
    return times


def _section(rates: list[float], times: Mapping[str, list[float]], facts: Mapping[str, str]) -> Section:
    asked = [
        Comparison(what=f"{name}, in milliseconds", ratio=estimate(some), target=Target(bound=200, better="lower"))
        for name, some in times.items()
    ]
    loaded = Comparison(what="facts appended per second", ratio=estimate(rates), target=Target(bound=200_000))
    longest = Table(
        columns=("report", "median", "longest"),
        rows=tuple((name, f"{median(some):.0f} ms", f"{max(some):.0f} ms") for name, some in times.items()),
    )
    return Section(
        id="B14",
        title="ten million facts in the embedded warehouse, and reports over them",
        about=ABOUT,
        comparisons=(loaded, *asked),
        tables=(longest,),
        facts=facts,
    )
