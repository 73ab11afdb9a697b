"""Customers for the tests."""

from typing import Any

import msgspec

from shoal.testing import LiveSystem, MemorySystem, Response

Running = MemorySystem | LiveSystem


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account, and the ways to use it."""

    system: Running
    user_id: str
    email: str
    token: str

    async def order(
        self, *lines: tuple[str, int], card: str = "tok_visa", key: str = "", deliver_to: str | None = None
    ) -> Response:
        body = {
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
            "payment_method": card,
            "deliver_to": deliver_to,
        }
        headers = {"Idempotency-Key": key} if key else {}
        return await self.system.post("/orders", json=body, token=self.token, headers=headers)

    async def get(self, path: str) -> Any:
        answer = await self.system.get(path, token=self.token)
        assert answer.status == 200, answer.body
        return answer.json()


async def sign_up(system: Running, email: str) -> Customer:
    password = "a password of some length"
    account = {"email": email, "name": email.partition("@")[0].title(), "password": password}
    made = await system.post("/users", json=account)
    assert made.status == 201, made.body
    session = await system.post("/sessions", json={"email": email, "password": password})
    assert session.status == 200, session.body
    return Customer(system=system, user_id=made.json()["user_id"], email=email, token=session.json()["access_token"])
