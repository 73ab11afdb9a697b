"""The shop's fronts through the edge, an order's live status, the page of another origin, and the old application."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from shoal.mesh.layout import Tcp
from shoal.testing import LiveSystem
from tests.live.shopping import order, sign_in, until
from tests.mesh.wire import ask

pytestmark = pytest.mark.live

SKU = "KIT-0110"


async def test_pages_and_the_app_are_told_what_they_show(live: LiveSystem) -> None:
    (shown,) = (await live.get(f"/web/products?sku={SKU}")).json()["data"]
    card = await live.get(f"/mobile/products/{SKU}")
    assert card.json()["data"]["name"] == shown["price"]["name"]
    assert card.headers["cache-control"].startswith("public")


async def test_a_cart_is_found_again_by_its_cookie(live: LiveSystem) -> None:
    wanted = await live.request("PUT", f"/web/cart/{SKU}", json={"quantity": 2})
    assert wanted.json() == {"pieces": {SKU: 2}}
    visit = {"cookie": wanted.headers["set-cookie"].partition(";")[0]}
    (line,) = (await live.get("/web/cart", headers=visit)).json()["lines"]
    assert (line["price"]["sku"], line["quantity"]) == (SKU, 2)
    assert (await live.get("/web/cart")).json()["lines"] == []


async def test_an_order_is_followed_from_its_placing_to_its_end(live: LiveSystem) -> None:
    customer, other = await sign_in(live), await sign_in(live)
    placed = await order(live, customer, sku=SKU, card="tok_declined")
    path, gateway = f"{placed.headers['location']}/events", urlsplit(live.state.gateway)
    edge = Tcp(host=gateway.hostname or "", port=gateway.port or 0)
    told = await ask(edge, f"GET {path}", headers={"authorization": f"Bearer {customer.token}"})
    assert told.headers["content-type"].startswith("text/event-stream")
    updates = [json.loads(line[5:]) for line in told.body.decode().splitlines() if line.startswith("data:")]
    assert updates[-1]["status"] == "CANCELLED", "the stream ends with the order"
    assert (await live.get(path, token=other.token)).status == 404


async def test_pages_of_the_shop_may_ask_from_a_browser_and_others_may_not(live: LiveSystem) -> None:
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    for origin, allowed in (("https://shop.example", "https://shop.example"), ("https://elsewhere.example", None)):
        answer = await live.request("OPTIONS", "/orders", headers=asks | {"origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed


async def test_the_old_application_and_its_successor_say_the_same_of_a_coupon(live: LiveSystem) -> None:
    before = await live.get("/coupons")
    assert before.json() == ["SPRING10", "SPRING20", "THANKYOU", "WELCOME5"], "the old application still has these"
    await _shoal(live, "strangle", "set", "coupon", "shadow")

    async def compared() -> dict[str, Any] | None:
        for code in before.json():
            assert (await live.get(f"/coupons/{code}")).json()["code"] == code
        routes = json.loads(await _shoal(live, "strangle", "status", "coupon", "--json"))
        parity: dict[str, Any] = routes[0]["parity"]
        return parity if parity["compared"] >= len(before.json()) else None

    try:
        parity = await until(compared, within=30, what="answers of both to be compared")
    finally:
        await _shoal(live, "strangle", "set", "coupon", "record")
    assert (parity["differing"], parity["unanswered"]) == (0, 0), parity["examples"]


async def _shoal(live: LiveSystem, *arguments: str) -> str:
    done = await asyncio.to_thread(live.run, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout
