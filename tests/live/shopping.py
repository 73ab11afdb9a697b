"""What customers of the shop do, through the gateway."""

import asyncio
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import pytest

from shoal.testing import LiveSystem
from shoal.testing.http import Client, Response

T = TypeVar("T")

PASSWORD = "correct horse battery"
TERMINAL = ("CONFIRMED", "CANCELLED")


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in."""

    email: str
    token: str


def require_nats(live: LiveSystem) -> None:
    """Skip what reaches into NATS where the events go another way."""
    if (broker := live.plan.target.broker) != "nats":
        pytest.skip(f"reaches into NATS, and the broker is {broker}")


async def sign_in(shop: Client) -> Customer:
    """Sign up somebody new and log in."""
    email = f"{uuid.uuid4().hex[:12]}@example.com"
    account = {"email": email, "name": "Ada", "password": PASSWORD}
    answer = await shop.post("/users", json=account)
    assert answer.status == 201, answer.body
    session = await shop.post("/sessions", json={"email": email, "password": PASSWORD})
    assert session.status == 200, session.body
    return Customer(email=email, token=session.json()["access_token"])


def subject_of(customer: Customer) -> str:
    """Read out of a token whose it is."""
    part = customer.token.split(".")[1]
    return str(msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"])


async def order(
    shop: Client, customer: Customer, *, sku: str = "KIT-0110", quantity: int = 1, card: str = "tok_visa", key: str = ""
) -> Response:
    """Place an order for one product."""
    wish = {"lines": [{"sku": sku, "quantity": quantity}], "payment_method": card}
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return await shop.post("/orders", json=wish, token=customer.token, headers=headers)


async def end_of(shop: Client, customer: Customer, order_id: str, *, within: float = 30.0) -> dict[str, Any]:
    """Wait until an order is confirmed or cancelled."""

    async def ended() -> dict[str, Any] | None:
        answer = await shop.get(f"/orders/{order_id}", token=customer.token)
        found: dict[str, Any] = answer.json()
        return found if answer.status == 200 and found["status"] in TERMINAL else None

    return await until(ended, within=within, what=f"order {order_id} to end")


async def until(check: Callable[[], Awaitable[T | None]], *, within: float, what: str) -> T:
    """Ask again until there is an answer."""
    try:
        async with asyncio.timeout(within):
            while (found := await check()) is None:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.05)
            return found
    except TimeoutError:
        raise AssertionError(f"waited {within:g} s for {what}") from None
