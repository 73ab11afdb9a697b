"""Pairs of orders under one key at the same time, through the live gateway."""

import asyncio
import uuid

import pytest

from shoal.testing import LiveSystem
from tests.live.shopping import order, sign_in

pytestmark = pytest.mark.live

PAIRS, CUSTOMERS = 60, 4
"""The gateway lets one customer order fifty times at once."""


async def test_pairs_of_orders_place_one_each(live: LiveSystem) -> None:
    customers, gate = [await sign_in(live) for _ in range(CUSTOMERS)], asyncio.Semaphore(6)

    async def pair(number: int) -> str:
        customer = customers[number % CUSTOMERS]
        key, wishes = uuid.uuid4().hex, (1, 2 if number % 5 == 0 else 1)
        async with gate:
            answers = await asyncio.gather(*(order(live, customer, quantity=q, key=key) for q in wishes))
        placed = {answer.json()["order_id"] for answer in answers if answer.status == 201}
        assert sorted(answer.status for answer in answers) == ([201, 201] if len({*wishes}) == 1 else [201, 422])
        assert len(placed) == 1
        return str(placed.pop())

    orders = await asyncio.gather(*(pair(number) for number in range(PAIRS)))
    assert len(set(orders)) == PAIRS
    pages = [(await live.get("/orders?limit=100", token=customer.token)).json()["data"] for customer in customers]
    assert sorted(order["order_id"] for page in pages for order in page) == sorted(orders)
