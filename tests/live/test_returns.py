"""``kill -9`` in the middle of returns: each ends, and the provider pays back exactly once."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator

import pytest

from shoal.errors import HostError
from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.live.outside import ledger, mails
from tests.live.shopping import Customer, end_of, order, sign_in, until

pytestmark = pytest.mark.live

ORDERS = 24
VICTIMS = ("orders-0", "payments-0", "inventory-0", "orders-0", "payment-provider", "postgres")


@pytest.fixture(scope="module")
def shop(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    try:
        running = start_live(
            pytestconfig.rootpath, "shop.system:system", tmp_path_factory.mktemp("returns"), "--no-telemetry"
        )
    except HostError as error:
        pytest.skip(f"the real engines cannot run here: {error.message}")
    yield running
    running.stop()


async def test_returns_end_and_nobody_is_paid_back_twice(shop: LiveSystem) -> None:
    customer = await sign_in(shop)
    bought = [(await order(shop, customer)).json()["order_id"] for _ in range(ORDERS)]
    assert {(await end_of(shop, customer, order_id))["status"] for order_id in bought} == {"CONFIRMED"}
    returning = asyncio.create_task(_return_all(shop, customer, bought))
    for victim in VICTIMS:
        restarts = shop.process(victim).restarts
        os.kill(shop.process(victim).pid, signal.SIGKILL)
        await _is_back(shop, victim, restarts + 1)
    await returning
    for order_id in bought:
        await _has_status(shop, customer, order_id, "RETURNED")
    refunds = {key: entry for key, entry in ledger(shop)["keys"].items() if entry["path"].endswith("refunds")}
    assert sorted(entry["reference"] for entry in refunds.values()) == sorted(bought)
    assert {entry["effects"] for entry in refunds.values()} == {1}
    report = await shop.audit(wait=60)
    assert report.held, report.complaints()
    assert len(mails(shop, customer.email)) == 2 * ORDERS
    listed = await asyncio.to_thread(shop.run, "saga", "list", "--all", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {saga["key"]: saga["status"] for saga in json.loads(listed.stdout)} == dict.fromkeys(bought, "completed")
    refused = await asyncio.to_thread(shop.run, "saga", "compensate", bought[0])
    assert refused.returncode == 1
    assert "has ended: completed" in refused.stderr


async def _return_all(shop: LiveSystem, customer: Customer, bought: list[str]) -> None:
    """Ask for each return until it is accepted, as a customer does who sees an error page."""

    async def accepted(order_id: str) -> bool | None:
        try:
            answer = await shop.post(f"/orders/{order_id}/return", token=customer.token)
        except OSError:
            return None
        return True if answer.status == 202 else None

    for order_id in bought:
        await until(lambda order_id=order_id: accepted(order_id), within=60, what=f"return of {order_id}")  # type: ignore[misc]
        await asyncio.sleep(0.05)


async def _has_status(shop: LiveSystem, customer: Customer, order_id: str, status: str) -> None:
    async def reached() -> bool | None:
        answer = await shop.get(f"/orders/{order_id}", token=customer.token)
        return True if answer.status == 200 and answer.json()["status"] == status else None

    await until(reached, within=60, what=f"{order_id} to be {status}")


async def _is_back(shop: LiveSystem, name: str, restarts: int) -> None:
    async def back() -> bool | None:
        found = shop.process(name)
        return True if found.status == "ready" and found.restarts >= restarts else None

    await until(back, within=60, what=f"{name} to be ready again")
