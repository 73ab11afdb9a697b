"""A broker that is killed while orders come, and comes back empty, costs nothing.

On NATS `test_faults` does so, and more; this is for the brokers of the matrix (``make matrix``).
"""

import asyncio
import os
import signal

import pytest

from shoal.model import catalog
from shoal.testing import LiveSystem
from tests.live.shopping import Customer, end_of, order, sign_in, until

pytestmark = pytest.mark.live


async def ends(live: LiveSystem, customer: Customer, count: int) -> list[str]:
    """Place orders one after the other, and wait for the end of each."""
    placed = []
    for _ in range(count):
        answer = await order(live, customer)
        assert answer.status == 201, answer.body
        placed.append(str(answer.json()["order_id"]))
    return [(await end_of(live, customer, one, within=60))["status"] for one in placed]


async def test_a_killed_broker_costs_nothing(live: LiveSystem) -> None:
    broker = live.plan.target.broker
    if broker == "nats":
        pytest.skip("test_faults kills it")
    server = catalog.server(broker)
    if server in {catalog.server(store) for store in live.plan.target.stores.values()}:
        pytest.skip(f"{server} serves stores, too, and keeps nothing of them")
    customer = await sign_in(live)
    assert await ends(live, customer, 1) == ["CONFIRMED"]
    for kills in (1, 2):
        victim = live.process(server)
        buying = [asyncio.create_task(ends(live, customer, 5)) for _ in range(2)]
        await ends(live, customer, 1)
        os.kill(victim.pid, signal.SIGKILL)

        async def back(count: int = victim.restarts + 1) -> bool | None:
            found = live.process(server)
            return True if (found.restarts, found.status) == (count, "ready") else None

        await until(back, within=30, what=f"{server} to be back after kill {kills}")
        assert [*await asyncio.gather(*buying)] == [["CONFIRMED"] * 5] * 2
    report = await live.audit(wait=60)
    assert report.held, report.complaints()
