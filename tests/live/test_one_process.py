"""One process gives the same answers to the same requests as many."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from shoal.errors import HostError
from shoal.testing import LiveSystem
from shoal.testing.http import Response
from shoal.testing.live import start_live
from tests.live.shopping import PASSWORD, Customer, end_of, order

pytestmark = pytest.mark.live

_VARIES = {"user_id", "order_id", "placed_at", "updated_at", "access_token", "trace_id", "email"}
"""Members that differ between any two runs."""

_WORDING = {"title", "detail"}
"""Members of a problem that are for people; the proxy and the service word them differently."""


@pytest.fixture(scope="module")
def single(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    folder = tmp_path_factory.mktemp("single")
    try:
        running = start_live(pytestconfig.rootpath, "shop.system:system", folder, "--one-process", "--no-telemetry")
    except HostError as error:
        pytest.skip(f"the real engines cannot run here: {error.message}")
    yield running
    running.stop()


def _same(answer: Response) -> tuple[int, str, Any]:
    """Reduce an answer to what does not differ between two runs."""
    kind = answer.headers.get("content-type", "")
    return answer.status, kind, _without(answer.json(), _VARIES | (_WORDING if "problem" in kind else set()))


def _without(node: Any, names: set[str]) -> Any:
    if isinstance(node, dict):
        return {key: _without(value, names) for key, value in node.items() if key not in names}
    return [_without(item, names) for item in node] if isinstance(node, list) else node


async def _visit(shop: LiveSystem) -> list[Any]:
    email = f"{uuid.uuid4().hex}@example.com"
    account = {"email": email, "name": "Ada", "password": PASSWORD}
    signed_up = await shop.post("/users", json=account)
    session = await shop.post("/sessions", json={"email": email, "password": PASSWORD})
    customer = Customer(email=email, token=session.json()["access_token"])
    placed = await order(shop, customer, key="k")
    again = await order(shop, customer, key="k")
    declined = await order(shop, customer, card="tok_declined")
    ends = [await end_of(shop, customer, a.json()["order_id"]) for a in (placed, declined)]
    answers = [
        signed_up,
        session,
        placed,
        again,
        await shop.get("/users/me", token=customer.token),
        await shop.get("/products?limit=2&page=3"),
        await shop.get("/products/KIT-0110"),
        await shop.get("/products/none"),
        await shop.get("/orders?limit=1", token=customer.token),
        await shop.get("/orders"),
        await shop.get("/orders", token="garbage"),
        await shop.get("/prices?skus=KIT-0110"),
        await shop.get("/health"),
        await shop.get("/nowhere"),
        await shop.post("/orders", json={"lines": []}, token=customer.token),
        await shop.post("/users", json=account),
        await shop.request("DELETE", "/orders", token=customer.token),
    ]
    return [*map(_same, answers), *[(e["status"], e.get("reason")) for e in ends]]


async def test_the_same_requests_get_the_same_answers(live: LiveSystem, single: LiveSystem) -> None:
    for many, one in zip(await _visit(live), await _visit(single), strict=True):
        assert many == one
