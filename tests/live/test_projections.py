"""Read models of a running system equal their events while orders keep coming, and after a kill in between."""

import asyncio
import contextlib
import json
import os
import signal
from http.client import HTTPException
from typing import Any

import pytest

from shoal.errors import ShoalError
from shoal.testing import LiveSystem
from tests.live.shopping import Customer, end_of, order, sign_in, until

pytestmark = pytest.mark.live

ROUNDS = 3


async def shoal(live: LiveSystem, *arguments: str) -> tuple[int, Any]:
    """Run ``shoal projections`` and read its JSON."""
    result = await asyncio.to_thread(live.run, "projections", *arguments, "--json")
    assert result.stdout, result.stderr
    return result.returncode, json.loads(result.stdout)


async def shop(live: LiveSystem, customer: Customer, placed: list[str], done: asyncio.Event) -> None:
    """Order again and again, each after the end of the last; what is not answered was not ordered."""
    while not done.is_set():
        with contextlib.suppress(OSError, HTTPException):
            answer = await order(live, customer, card="tok_declined" if len(placed) % 3 == 2 else "tok_visa")
            if answer.status == 201:
                placed.append(answer.json()["order_id"])
                await end_of(live, customer, placed[-1], within=60)  # engines differ in how many orders they carry
        await asyncio.sleep(0.1)


async def one_round(live: LiveSystem) -> int:
    """Compare every read model and build one anew; return how many events that one had."""
    code, found = await shoal(live, "rebuild", "--all", "--check")
    assert (code, [f for f in found if not f["same"]]) == (0, [])
    code, rebuilt = await shoal(live, "rebuild", "order-history")
    assert code == 0, rebuilt
    return int(next(f["events"] for f in found if f["name"] == "order-history"))


async def test_read_models_equal_their_events_while_orders_keep_coming(live: LiveSystem) -> None:
    customer, placed, done = await sign_in(live), list[str](), asyncio.Event()
    shopping = [asyncio.create_task(shop(live, customer, placed, done)) for _ in range(2)]
    events: list[int] = []
    try:
        async with asyncio.timeout(90):
            while len(events) < ROUNDS or events[0] == events[-1]:  # what a dead holder had is taken up some time later
                if len(events) == 1:
                    os.kill(live.process("orders-0").pid, signal.SIGKILL)
                events.append(await one_round(live))
    finally:
        done.set()
        await asyncio.gather(*shopping)
    assert len(placed) > ROUNDS
    ended = [await end_of(live, customer, order_id, within=60) for order_id in placed]  # all at once would be a load
    ends = {found["order_id"]: found["status"] for found in ended}
    await until(lambda: _told(live, customer, ends), within=60, what="the history to tell how each order ended")
    code, found = await shoal(live, "rebuild", "--all", "--check")
    assert (code, [f for f in found if not f["same"]]) == (0, [])


async def _told(live: LiveSystem, customer: Customer, ends: dict[str, str]) -> bool | None:
    """Compare the history with the orders; those whose answer was lost are told too."""
    told: dict[str, str] = {}
    target: str | None = "/history?limit=100"
    while target:
        page = (await live.get(target, token=customer.token)).json()
        if "data" not in page:
            raise ShoalError(f"the history is not there: {page}")
        told |= {past["order_id"]: past["outcome"] for past in page["data"]}
        target = page["_links"].get("next")
    return True if ends.items() <= told.items() and "PLACED" not in told.values() else None
