"""Measure B17: the pages of the dashboard, in Chromium, over its own process."""

import asyncio
import json
import os
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import Browser, async_playwright

from bench.dashboard.messages import messages
from bench.dashboard.serving import Served, chromium, opened, serving
from bench.machine import Busyness, Watch
from bench.outcome import Effort, Outcome
from bench.report import Comparison, Section
from bench.rounds import Say
from bench.statistics import Target, estimate

ROUNDS, SPANS, IDLE = 20, 10_000, 10.0

RATE, LASTING = 5000, 10.0
"""Spans a second that are sent while somebody looks, and for how many seconds."""

ABOUT = """
The dashboard's own process on loopback, with a trace of 10,000 spans on record, and a headless Chromium. First paint
is what the browser itself tells of it (`first-contentful-paint`), in a context that has kept nothing, on the way to the
list of traces; the list is timed until its first row stands. A large trace is timed from the navigation until its
first rows stand; a turn of the page from the key until other rows stand there. Idle is the processor time of the
dashboard's process while one visible page listens and nothing comes. Then services send 5,000 spans a second for ten
seconds, over HTTP, while that page listens: what the process needs for both, and what it holds in memory afterwards.
"""

_TICKS = os.sysconf("SC_CLK_TCK")
_TRACE = "ab" * 16


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One visit, in milliseconds."""

    paint: float
    listed: float
    trace: float
    turn: float


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds in which spans came."""

    used: float
    """Processors."""
    memory: float
    """MiB afterwards."""


async def run(effort: Effort, say: Say) -> Outcome:
    """Visit the pages, again and again."""
    with tempfile.TemporaryDirectory() as folder:
        return await _run(Path(folder), effort, say)


async def _run(root: Path, effort: Effort, say: Say) -> Outcome:
    rounds, watch = list[Round](), Watch()
    async with serving(root) as served, async_playwright() as tool:
        await asyncio.to_thread(_tell, served.url)
        browser = await chromium(tool)
        for number in range(effort.choose(ROUNDS) + 1):
            found = await _visit(browser, served)
            rounds += [found] * (number > 0)  # the first run of everybody is thrown away
        idle = [await _idle(browser, served) for _ in range(3)]
        held = [await _held(browser, served) for _ in range(3)]
        await browser.close()
    say(f"{len(rounds)} visits; idle {max(idle):.4f} of a processor, {max(h.used for h in held):.2f} under load")
    return Outcome(
        section=_section(rounds, idle, held, watch.read()), rows={"rounds": rounds, "idle": idle, "held": held}
    )


def _tell(url: str) -> None:
    """Send one trace of many spans: requests that ask a store, ten levels deep."""
    now = time.time_ns()
    spans = [_span(n, now - 10**9 + n * 90_000) for n in range(SPANS)]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "things"}}]}
    body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).encode()
    request = urllib.request.Request(f"{url}/v1/traces", body, {"content-type": "application/json"})  # noqa: S310 - ours
    with urllib.request.urlopen(request):  # noqa: S310
        pass
    time.sleep(2)  # until it is written


def _span(number: int, at: int) -> dict[str, object]:
    question = {"key": "db.query.text", "value": {"stringValue": f"SELECT thing_{number % 40}"}}
    return {
        "traceId": _TRACE,
        "spanId": f"{number + 1:016x}",
        "parentSpanId": f"{number // 10:016x}" if number >= 10 else "" if number == 0 else f"{1:016x}",
        "kind": 2 + number % 2,
        "name": f"GET /things/{number % 40}",
        "startTimeUnixNano": str(at),
        "endTimeUnixNano": str(at + 5 * 10**6),
        "attributes": [question],
    }


async def _visit(browser: Browser, served: Served) -> Round:
    page = await opened(browser, served, "/traces")
    await page.wait_for_selector(".rows > .row")
    listed: float = await page.evaluate("performance.now()")
    paint: float = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    began = time.perf_counter()
    await page.goto(f"{served.url}/traces/{_TRACE}")
    await page.wait_for_selector(".lane .bar")
    trace = time.perf_counter() - began
    await page.focus(".table")
    turn: float = await page.evaluate(_TURN)
    await page.context.close()
    return Round(paint=paint, listed=listed, trace=trace * 1000, turn=turn)


_TURN = """() => new Promise(done => {
  const box = document.querySelector('.table');
  const began = performance.now();
  box.scrollTop = box.scrollHeight / 2;
  const look = () => { const row = document.querySelector('.rows > .row');
    const index = Number(row?.getAttribute('aria-rowindex'));
    index > 100 ? done(performance.now() - began) : requestAnimationFrame(look) };
  requestAnimationFrame(look);
})"""


async def _idle(browser: Browser, served: Served) -> float:
    page: Any = await opened(browser, served, "/traces")
    await page.wait_for_selector("header .badge:has-text('live')")
    await asyncio.sleep(2)
    before, began = _ticks(served.pid), time.perf_counter()
    await asyncio.sleep(IDLE)
    used = (_ticks(served.pid) - before) / _TICKS / (time.perf_counter() - began)
    await page.context.close()
    return used


async def _held(browser: Browser, served: Served) -> Held:
    bodies = list(messages(int(RATE * LASTING), seed=time.time_ns()))
    page: Any = await opened(browser, served, "/traces")
    await page.wait_for_selector("header .badge:has-text('live')")
    before, began = _ticks(served.pid), time.perf_counter()
    await asyncio.to_thread(_send, served.url, bodies)
    used = (_ticks(served.pid) - before) / _TICKS / (time.perf_counter() - began)
    await page.context.close()
    return Held(used=used, memory=_resident(served.pid) / 2**20)


def _send(url: str, bodies: Sequence[bytes]) -> None:
    """Send requests evenly; each must be taken."""
    began = time.perf_counter()
    for number, body in enumerate(bodies):
        time.sleep(max(0.0, began + number * LASTING / len(bodies) - time.perf_counter()))
        asked = urllib.request.Request(f"{url}/v1/traces", body, {"content-type": "application/x-protobuf"})  # noqa: S310 - ours
        with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
            assert answer.read() == b"", "something was refused"


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _section(rounds: Sequence[Round], idle: Sequence[float], held: Sequence[Held], busy: Busyness) -> Section:
    def line(what: str, values: Sequence[float], bound: float) -> Comparison:
        return Comparison(what=what, ratio=estimate(values), target=Target(bound=bound, better="lower"))

    return Section(
        id="B17",
        title="the pages of the dashboard",
        about=ABOUT,
        comparisons=(
            line("first paint, ms", [one.paint for one in rounds], 300),
            line("the list of traces stands, ms", [one.listed for one in rounds], 1000),
            line(f"a trace of {SPANS:,} spans stands, ms", [one.trace for one in rounds], 2000),
            line("other rows of it stand, ms", [one.turn for one in rounds], 100),
            line("idle with one page open, processors", idle, 0.01),
            line(f"{RATE:,} spans a second, processors", [one.used for one in held], 0.5),
            line(f"after {RATE:,} spans a second, MiB in memory", [one.memory for one in held], 300),
        ),
        facts={"visits": f"{len(rounds)}", "load average": f"{busy.load:.1f}"},
    )
