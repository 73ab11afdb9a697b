"""``kill -9`` of each process while orders are placed: nothing acknowledged is lost, nobody is charged twice."""

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


VICTIMS = (
    "orders-0", "payments-0", "inventory-0", "products-0", "notifications-0", "users-0",
    "postgres", "nats", "envoy", "payment-provider", "mailbox",
)  # fmt: skip


async def test_every_acknowledged_order_ends_and_no_charge_happens_twice(shop: LiveSystem) -> None:
    customer = await sign_in(shop)
    skus = await _well_stocked(shop)
    over = asyncio.Event()
    placing = [asyncio.create_task(_keep_ordering(shop, customer, skus, buyer, over)) for buyer in range(AT_ONCE)]
    for victim in VICTIMS:
        running = shop.process(victim)
        os.kill(running.pid, signal.SIGKILL)
        await _is_back(shop, victim, running.restarts + 1)
    over.set()
    order_ids = [order_id for bought in await asyncio.gather(*placing) for order_id in bought]
    assert len(order_ids) >= ORDERS
    assert len(set(order_ids)) == len(order_ids), "one key, one order"
    ended = await asyncio.gather(*(end_of(shop, customer, i, within=60) for i in order_ids))
    assert {e["status"] for e in ended} == {"CONFIRMED"}
    charges = [entry for key, entry in ledger(shop)["keys"].items() if any(i in key for i in order_ids)]
    assert len(charges) == len(order_ids)
    assert {entry["effects"] for entry in charges} == {1}
    listed = await shop.get("/orders?limit=1", token=customer.token)
    assert listed.json()["pagination"]["total"] == len(order_ids), "an order that nobody was told of"


async def _keep_ordering(
    shop: LiveSystem, customer: Customer, skus: list[str], buyer: int, over: asyncio.Event
) -> list[str]:
    """Order one after the other until it is over, and no less than a fair share."""
    bought: list[str] = []
    while not over.is_set() or len(bought) < ORDERS / AT_ONCE:
        sku = skus[(buyer + len(bought) * AT_ONCE) % len(skus)]
        answer = await _persistently(shop, customer, f"{buyer}-{len(bought)}", sku)
        bought.append(answer.json()["order_id"])
    return bought


async def _well_stocked(shop: LiveSystem) -> list[str]:
    """Fill some shelves, and name their products."""
    listed = await shop.get("/products?limit=20")
    skus: list[str] = [product["sku"] for product in listed.json()["data"]]
    admin = shop.token("admin", roles=["admin"])
    for sku in skus:
        filled = await shop.put(f"/stock/{sku}", json={"available": 100_000}, token=admin)
        assert filled.status == 200
    return skus


async def _persistently(shop: LiveSystem, customer: Customer, key: str, sku: str) -> Response:
    """Place an order as a client does who repeats what was not acknowledged, under the same key."""

    async def acknowledged() -> Response | None:
        try:
            answer = await order(shop, customer, key=key, sku=sku)
        except OSError:
            return None
        return answer if answer.status == 201 else None

    return await until(acknowledged, within=60, what=f"order {key} to be acknowledged")


async def _is_back(shop: LiveSystem, name: str, restarts: int) -> None:
    async def back() -> bool | None:
        found = shop.process(name)
        return True if found.status == "ready" and found.restarts >= restarts else None

    await until(back, within=60, what=f"{name} to be ready again")
