"""Streams and consumers that are deleted while orders come are made again, and nothing is lost or happens twice."""

import asyncio

import pytest

from shoal.audit.standing import site_of
from shoal.drivers.nats import wire
from shoal.drivers.nats.admin import NatsAdmin
from shoal.drivers.nats.api import Api
from shoal.local.environment import operator_url
from shoal.testing import LiveSystem
from tests.live.shopping import Customer, end_of, order, require_nats, sign_in

pytestmark = pytest.mark.live


async def ask(live: LiveSystem, request: str) -> None:
    """Ask JetStream for something that no driver offers."""
    admin = NatsAdmin(operator_url(site_of(live.plan, live.root).world))
    async with admin._connected() as (connection, mux):
        assert (await Api(connection, mux).ask(request, None, wire.Answer)).error is None


async def customers(live: LiveSystem, customer: Customer, count: int) -> list[str]:
    """Place orders one after the other."""
    placed = []
    for _ in range(count):
        answer = await order(live, customer)
        assert answer.status == 201, answer.body
        placed.append(str(answer.json()["order_id"]))
    return placed


async def test_a_stream_and_a_consumer_that_are_deleted_cost_nothing(live: LiveSystem) -> None:
    require_nats(live)
    customer = await sign_in(live)
    buying = asyncio.create_task(customers(live, customer, 40))
    await asyncio.sleep(0)
    placed = await customers(live, customer, 3)
    await ask(live, "STREAM.DELETE.SHOP_ORDERS")
    placed += await customers(live, customer, 5)
    await ask(live, "CONSUMER.DELETE.SHOP_PAYMENTS.orders-1")
    await ask(live, "CONSUMER.DELETE.SHOP_INVENTORY.payments-2")
    placed += await buying
    ends = [(await end_of(live, customer, one, within=60))["status"] for one in placed]
    assert ends == ["CONFIRMED"] * len(placed)
    report = await live.audit(wait=60)
    assert report.held, report.complaints()
