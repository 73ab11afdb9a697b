"""Measure B21: what the dashboard takes, how soon it finds something in a million spans, and a map of many services."""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from playwright.async_api import async_playwright

from bench.dashboard.messages import BATCH, messages
from bench.dashboard.serving import chromium, opened, serving
from bench.machine import Watch
from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section, Table
from bench.rounds import Say
from bench.statistics import Target, estimate
from shoal.dashboard.collector import otlp
from shoal.dashboard.store.reading import (
    Database,
    SeriesQuery,
    TraceQuery,
    database,
    edges,
    operations,
    series,
    trace,
    traces,
)
from shoal.dashboard.store.writer import Writer

SPANS, SERVICES = 1_000_000, 200
ROUNDS = 15
PORTION = 40
"""Messages of `BATCH` spans that are made at a time, outside of the measured time, and taken as one round."""

WISHES: Mapping[str, TraceQuery] = {
    "the newest": TraceQuery(),
    "a service": TraceQuery(service="orders"),
    "an operation of a service": TraceQuery(service="products", operation="SELECT products"),
    "errors": TraceQuery(errors=True),
    "errors of a service, slow": TraceQuery(service="payments", errors=True, min_ms=50),
    "slow, of which there are few": TraceQuery(min_ms=58.9),
    "quick, of which there are none": TraceQuery(max_ms=0.001, service="orders"),
    "an attribute that one trace has": TraceQuery(attribute="order.id=77"),
    "an attribute that a thousandth has": TraceQuery(attribute="url.path=/orders/7", errors=True),
    "an attribute that all have": TraceQuery(attribute="http.route=/orders", service="inventory"),
    "a text that many names have": TraceQuery(text="orders"),
    "a text that nothing has": TraceQuery(text="no such thing"),
}

ABOUT = f"""
The parts of the dashboard that grow with what they hold. *Taken* is a message of {BATCH} spans with eight attributes
each, from the bytes that an exporter sends to the commit: decoded, written with its marks and sums, {SPANS:,} spans in
all into one file; a core is the processor time of the process. Then questions to that file, as the list of traces
asks them, a page of a hundred each: of each the median of some rounds; the slowest is the one that counts. The map is
that of {SERVICES} services, each of which has a store, an operation and up to three others that it calls, in Chromium:
*laid out* is what its places and ways take to be found, *stands* goes from the navigation, in a context that has kept
nothing, until the last of them is drawn.
"""

_HEAD = """
from typing import Protocol
from shoal import Postgres, Service, System, anyone, contract, get, internal
"""
_CONTRACT = """
@contract("district-{n}")
class Api{n}(Protocol):
    @get("/inside", access=internal)
    async def ask(self) -> int: ...
"""
_SERVICE = """
s{n} = Service("district-{n}", contracts=[Api{n}], store=Postgres())
@s{n}.implements(Api{n}.ask)
async def ask{n}() -> int:
    return 1
@s{n}.get("/{n}", access=anyone)
async def show{n}({parameters}) -> int:
    return 1
"""


async def run(effort: Effort, say: Say) -> Outcome:
    """Take, ask, draw."""
    spans = SPANS // 20 if effort.quick else SPANS
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run-000001.db"
        rates = take(file, spans)
        say(f"{spans:,} spans taken, {statistics.median(rates):,.0f} a second of a core")
        with database(file) as found:
            asked = search(found, effort.choose(ROUNDS))
        size = file.stat().st_size / spans
    with tempfile.TemporaryDirectory() as folder:
        laid, drawn = await draw(Path(folder), effort.choose(ROUNDS))
    facts = {"load average": f"{watch.read().load:.1f}", "spans": f"{spans:,}, {size:.0f} bytes each"}
    rows = {"rates": rates, **asked, "laid": laid, "map": drawn}
    return Outcome(section=_section(rates, asked, (laid, drawn), facts), rows=rows)


def take(file: Path, count: int) -> list[float]:
    """Take spans; return, portion by portion, how many a second of processor time."""
    writer, rates, portion = Writer(file, largest=1 << 40, say=print), list[float](), list[bytes]()

    def push() -> None:
        began, taken = time.process_time(), 0
        for body in portion:
            records = otlp.read(otlp.TRACES, body, is_json=False).records
            taken += len(records)
            assert writer.put(records)
        assert writer.flush(600)
        rates.append(taken / (time.process_time() - began))
        portion.clear()

    for body in messages(count):
        portion.append(body)
        if len(portion) == PORTION:
            push()
    writer.close()
    return rates[1:] or rates


def search(found: Database, rounds: int) -> dict[str, list[float]]:
    """Ask each question some times; return how many milliseconds each took."""
    newest = traces(found, TraceQuery(limit=1)).items[0]
    asked: dict[str, Callable[[], object]] = {
        **{name: lambda query=query: traces(found, query) for name, query in WISHES.items()},  # type: ignore[misc]
        "a minute": lambda: traces(found, TraceQuery(since=newest.started - 60_000, until=newest.started)),
        "one trace": lambda: trace(found, newest.trace_id),
        "all operations": lambda: operations(found),
        "a series": lambda: series(found, SeriesQuery()),
        "all edges": lambda: edges(found),
    }
    return {name: [_milliseconds(ask) for _ in range(rounds)] for name, ask in asked.items()}


def _milliseconds(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


async def draw(root: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Open the map of many services, again and again; return the milliseconds of its layout, and until it stands."""
    (root / "city.py").write_text(city(SERVICES), "utf-8")
    laid, stands = list[float](), list[float]()
    async with serving(root, "city:system") as served, async_playwright() as tool:
        browser = await chromium(tool)
        for _ in range(rounds + 1):
            page = await opened(browser, served, "/map")
            await page.wait_for_function(
                "count => document.querySelectorAll('[data-node]').length > count", arg=SERVICES, polling="raf"
            )
            stands.append(await page.evaluate("performance.now()"))
            laid.append(await page.evaluate(_LAYOUT))
            await page.context.close()
        await browser.close()
    return laid[1:], stands[1:]  # the first has the declaration imported


_LAYOUT = """async () => {
  const graph = performance.getEntriesByType('resource').find(one => one.name.endsWith('/parts/graph.js')).name;
  const { laid } = await import(graph.replace('graph.js', 'layout.js'));
  const map = await (await fetch('/api/map?last=60')).json();
  const boxes = map.nodes.filter(one => one.kind !== 'store').map(({ id }) => ({ id, width: 100, height: 36 }));
  const known = new Set(boxes.map(one => one.id));
  const ways = map.edges.filter(one => known.has(one.source) && known.has(one.target));
  const began = performance.now();
  laid(boxes, ways.map(({ id, source, target }) => ({ id, source, target })));
  return performance.now() - began;
}"""


def city(count: int) -> str:
    """Write a system of many services, each of which calls up to three others."""
    called = [sorted({n // 2, n // 3, n // 5} - {n}) for n in range(count)]
    services = [
        _SERVICE.format(n=n, parameters=", ".join(f"a{other}: Api{other}" for other in some))
        for n, some in enumerate(called)
    ]
    names = ", ".join(f"s{n}" for n in range(count))
    return "".join(
        [
            _HEAD,
            *(_CONTRACT.format(n=n) for n in range(count)),
            *services,
            f'system = System("city", services=[{names}])\n',
        ]
    )


def _section(
    rates: Sequence[float],
    asked: Mapping[str, Sequence[float]],
    drawn: tuple[Sequence[float], Sequence[float]],
    facts: Mapping[str, str],
) -> Section:
    slowest = max(asked, key=lambda name: statistics.median(asked[name]))
    rows = tuple((name, f"{statistics.median(times):.1f} ms", f"{max(times):.1f} ms") for name, times in asked.items())
    return Section(
        id="B21",
        title="the dashboard at size",
        about=ABOUT,
        comparisons=(
            Comparison(what="spans taken a second of one core", ratio=estimate(rates), target=Target(bound=20_000)),
            Comparison(
                what=f"the slowest question: {slowest}, ms",
                ratio=estimate(asked[slowest]),
                target=Target(bound=200, better="lower"),
            ),
            Comparison(
                what=f"a map of {SERVICES} services is laid out, ms",
                ratio=estimate(drawn[0]),
                target=Target(bound=1000, better="lower"),
            ),
            Comparison(what="the same map stands, ms", ratio=estimate(drawn[1])),
        ),
        tables=(Table(columns=("question", "median", "longest"), rows=rows),),
        facts=facts,
    )
