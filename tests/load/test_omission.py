"""A server that stalls hides nothing: what waits for it counts from when it was due."""

import asyncio
import time

from shoal.load import Journey, Load, Visitor
from shoal.load.runner import Order
from shoal.load.summary import summary
from tests.load.runs import make
from tests.load.servers import Heard, answer, serving

BEFORE, WAITING = 10, 100


async def ask(visitor: Visitor[None]) -> None:
    await visitor.get("/")


async def test_a_stall_is_in_the_corrected_percentiles_and_not_in_the_others() -> None:
    asked, stalled = 0, 0.0

    async def handle(heard: Heard) -> bytes:
        nonlocal asked, stalled
        asked += 1
        if asked == BEFORE:
            began = time.perf_counter()
            while run.present < WAITING:
                await asyncio.sleep(0.001)
            stalled = time.perf_counter() - began
        return answer()

    async with serving(handle) as site:
        run = make(Load([Journey("ask", ask)]), site, Order(rate=400, seconds=0.6, at_most=1, patience=60))
        await run.drive(asyncio.Event())
    found = summary(run, load="x", target="y")
    total, half = found.total, stalled * 1e3 / 2
    assert total.succeeded == total.requests == asked
    assert total.uncorrected.max >= half * 2 * 0.99, "the one that was under way saw it"
    assert total.uncorrected.p90 < half < total.corrected.p90
    assert any("under way" in note for note in found.notes)
