"""The shop while calls between its services are late or fail, on its real engines."""

import pytest

from shoal.testing import LiveSystem
from shop.tests.people import sign_up
from shop.tests.test_live import MUG, ended

pytestmark = pytest.mark.live


async def test_orders_are_taken_while_prices_are_late(live: LiveSystem) -> None:
    customer = await sign_up(live, "late@example.com")
    async with live.fault("orders", "products", delay=0.2):
        answer = await customer.order((MUG, 1), key="late")
        assert answer.status == 201, answer.body
    assert (await ended(customer, answer.json()["order_id"]))["status"] == "CONFIRMED"


async def test_an_order_without_prices_is_refused_and_can_be_sent_again(live: LiveSystem) -> None:
    customer = await sign_up(live, "unpriced@example.com")
    async with live.fault("orders", "products", endpoint="prices", abort=503):
        assert (await customer.order((MUG, 1), key="again")).status in (502, 503)
    answer = await customer.order((MUG, 1), key="again")
    assert answer.status == 201, answer.body
    assert (await ended(customer, answer.json()["order_id"]))["status"] == "CONFIRMED"
