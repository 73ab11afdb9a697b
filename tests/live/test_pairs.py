"""Pairs of orders under one key at the same time, through the live gateway."""

import asyncio
import uuid

import pytest

from shoal.testing import LiveSystem
from tests.live.shopping import order, sign_in

pytestmark = pytest.mark.live

PAIRS = 60


async def test_pairs_of_orders_place_one_each(live: LiveSystem) -> None:
    customer, gate = await sign_in(live), asyncio.Semaphore(6)

    async def pair(number: int) -> str:
        key, wishes = uuid.uuid4().hex, (1, 2 if number % 5 == 0 else 1)
        async with gate:
            answers = await asyncio.gather(*(order(live, customer, quantity=q, key=key) for q in wishes))
        placed = {answer.json()["order_id"] for answer in answers if answer.status == 201}
        assert sorted(answer.status for answer in answers) == ([201, 201] if len({*wishes}) == 1 else [201, 422])
        assert len(placed) == 1
        return str(placed.pop())

    orders = await asyncio.gather(*(pair(number) for number in range(PAIRS)))
    assert len(set(orders)) == PAIRS
    page = (await live.get("/orders?limit=100", token=customer.token)).json()
    assert {order["order_id"] for order in page["data"]} == set(orders)
    assert len(page["data"]) == PAIRS
