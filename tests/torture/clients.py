"""Customers who order at their own pace, whatever becomes of the shop, and write down what they were told."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from shoal.service.audit import Operation
from shoal.testing import LiveSystem, Response

PASSWORD = "correct horse battery"
CUSTOMERS = 8
PATIENCE = 60.0
"""Seconds after which a customer gives up on an answer; the order may or may not have been placed then."""

CARDS = {"tok_visa": 80, "tok_declined": 8, "tok_flaky_then_ok": 5, "tok_lost_answer": 5, "tok_slow": 2}
"""How the provider treats them is in ``shop/sandboxes/payment_provider/behaviour.py``; out of a hundred."""

RETURNS = 0.08
"""Share of confirmed orders that are given back at once."""

IMPATIENT = 0.1
"""Share of customers who do not ask again when no answer comes."""

SCARCE = 0.05
"""Share of orders for what is not there, so that money goes back."""

EMPTY_SHELF = "KIT-0112"
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Somebody with an account."""

    user_id: str
    email: str
    token: str


@dataclass(slots=True, kw_only=True)
class Crowd:
    """The customers of one run of the shop, and their record of it."""

    shop: LiveSystem
    customers: Sequence[Customer]
    skus: Sequence[str]
    chance: random.Random
    operations: list[Operation] = field(default_factory=list)
    requests: int = 0

    async def order(self, count: int, seconds: float) -> None:
        """Place `count` orders spread evenly over `seconds`, without waiting for one before the next."""
        wishes = [self._wish() for _ in range(count)]
        pace = seconds / count
        async with asyncio.TaskGroup() as group:
            for wish in wishes:
                group.create_task(self._place(*wish))
                await asyncio.sleep(pace)

    def _wish(self) -> tuple[Customer, dict[str, Any], bool]:
        chance = self.chance
        lines = [
            {"sku": sku, "quantity": chance.randint(1, 3)} for sku in chance.sample(self.skus, chance.randint(1, 3))
        ]
        if chance.random() < SCARCE:
            lines.append({"sku": EMPTY_SHELF, "quantity": 1})
        card = chance.choices([*CARDS], [*CARDS.values()])[0]
        wish = {"lines": lines, "payment_method": card}
        return chance.choice(self.customers), wish, chance.random() < IMPATIENT

    async def _place(self, customer: Customer, wish: dict[str, Any], impatient: bool) -> None:
        key = uuid.uuid4().hex
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self._ask(customer, wish, key)
                while answer is None and not impatient:
                    await asyncio.sleep(self.chance.uniform(0.1, 0.6))
                    answer = await self._ask(customer, wish, key)
        except TimeoutError:
            answer = None
        status, body = (0, None) if answer is None else (answer.status, answer.json())
        self.operations.append(
            Operation(
                service="orders", endpoint="place_order", key=key, caller=customer.user_id, status=status, body=body
            )
        )

        if answer is not None and status == 201 and self.chance.random() < RETURNS:
            await self._give_back(customer, str(answer.json()["order_id"]))

    async def _give_back(self, customer: Customer, order_id: str) -> None:
        """Return the goods once they are sold; give up when that takes too long, or when they cannot be returned."""
        path, done = f"/orders/{order_id}", ("CANCELLED", "RETURNING", "RETURNED")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while (status := await self._status(customer, path)) not in done:
                    if status == "CONFIRMED":
                        await self._sent(customer, f"{path}/return")
                    await asyncio.sleep(self.chance.uniform(0.1, 0.4))

    async def _status(self, customer: Customer, path: str) -> str:
        """Ask how an order stands; empty when nobody says."""
        try:
            answer = await self.shop.get(path, token=customer.token)
        except (OSError, HTTPException):
            return ""
        return str(answer.json()["status"]) if answer.status == 200 else ""

    async def _sent(self, customer: Customer, path: str) -> None:
        with contextlib.suppress(OSError, HTTPException):
            await self.shop.post(path, token=customer.token)

    async def _ask(self, customer: Customer, wish: dict[str, Any], key: str) -> Response | None:
        """Send the order; None when nobody knows what became of it."""
        self.requests += 1
        try:
            answer = await self.shop.post("/orders", json=wish, token=customer.token, headers={"Idempotency-Key": key})
        except (OSError, HTTPException):
            return None
        return None if answer.status in _AGAIN else answer


async def gather(shop: LiveSystem, seed: int) -> Crowd:
    """Sign customers up, fill the shelves and empty one."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(64))
    customers = [await _sign_up(shop) for _ in range(CUSTOMERS)]
    listed = await shop.get("/products?limit=20")
    skus = [product["sku"] for product in listed.json()["data"] if product["sku"] != EMPTY_SHELF]
    admin = shop.token("admin", roles=["admin"])
    for sku, available in (*((sku, 100_000) for sku in skus), (EMPTY_SHELF, 0)):
        counted = await shop.put(f"/stock/{sku}", json={"available": available}, token=admin)
        assert counted.status == 200, counted.body
    return Crowd(shop=shop, customers=customers, skus=skus, chance=random.Random(f"{seed}/crowd"))  # noqa: S311 - repeatable


async def _sign_up(shop: LiveSystem) -> Customer:
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    made = await shop.post("/users", json={"email": email, "name": "Ada", "password": PASSWORD})
    assert made.status == 201, made.body
    session = await shop.post("/sessions", json={"email": email, "password": PASSWORD})
    assert session.status == 200, session.body
    return Customer(user_id=made.json()["user_id"], email=email, token=session.json()["access_token"])
