"""``kill -9`` of any one process while orders are placed: nothing acknowledged is lost, nobody is charged twice."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from shoal.errors import HostError
from shoal.testing import LiveSystem
from shoal.testing.http import Response
from shoal.testing.live import start_live
from tests.live.outside import ledger
from tests.live.shopping import Customer, end_of, order, sign_in, until

pytestmark = pytest.mark.live

ORDERS = 200
AT_ONCE = 16


@pytest.fixture(scope="module")
def shop(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    try:
        running = start_live(pytestconfig.rootpath, "shop.system:system", tmp_path_factory.mktemp("kills"))
    except HostError as error:
        pytest.skip(f"the real engines cannot run here: {error.message}")
    yield running
    running.stop()


VICTIMS = [
    "orders-0", "payments-0", "inventory-0", "products-0", "notifications-0",
    "postgres", "nats", "envoy", "payment-provider", "mailbox",
]  # fmt: skip


@pytest.mark.parametrize("victim", VICTIMS)
async def test_every_acknowledged_order_ends_and_no_charge_happens_twice(shop: LiveSystem, victim: str) -> None:
    customer = await sign_in(shop)
    sku = await _well_stocked(shop, VICTIMS.index(victim))
    killed = asyncio.Event()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Response | None:
        async with gate:
            if number == ORDERS // 2:
                os.kill(shop.process(victim).pid, signal.SIGKILL)
                killed.set()
            return await _persistently(shop, customer, f"{victim}-{number}", sku)

    answers = await asyncio.gather(*(one(n) for n in range(ORDERS)))
    assert killed.is_set()
    order_ids = [a.json()["order_id"] for a in answers if a is not None]
    assert len(set(order_ids)) == ORDERS, "one key, one order"
    ended = await asyncio.gather(*(end_of(shop, customer, i, within=60) for i in order_ids))
    assert {e["status"] for e in ended} == {"CONFIRMED"}
    await _everything_is_back(shop)
    charges = {key: entry for key, entry in ledger(shop)["keys"].items() if any(i in key for i in order_ids)}
    assert len(charges) == ORDERS
    assert {entry["effects"] for entry in charges.values()} == {1}


async def _well_stocked(shop: LiveSystem, number: int) -> str:
    """Fill the shelf of one product, another for each test."""
    listed = await shop.get("/products?limit=100")
    sku: str = listed.json()["data"][number]["sku"]
    filled = await shop.put(f"/stock/{sku}", json={"available": ORDERS}, token=shop.token("admin", roles=["admin"]))
    assert filled.status == 200
    return sku


async def _persistently(shop: LiveSystem, customer: Customer, key: str, sku: str) -> Response:
    """Place an order as a client does who repeats what was not acknowledged, under the same key."""

    async def acknowledged() -> Response | None:
        try:
            answer = await order(shop, customer, key=key, sku=sku)
        except OSError:
            return None
        return answer if answer.status == 201 else None

    return await until(acknowledged, within=60, what=f"order {key} to be acknowledged")


async def _everything_is_back(shop: LiveSystem) -> None:
    async def back() -> bool | None:
        return True if all(p.status == "ready" for p in shop.state.processes) else None

    await until(back, within=60, what="every process to be ready again")
