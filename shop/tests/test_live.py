"""The shop on its real engines, with a provider that loses every first answer: nothing happens twice."""

import asyncio
import contextlib
import http.client
import os
import signal
from collections import Counter
from typing import Any

import pytest

from shoal.testing import LiveSystem
from shop.tests.outside import Sandbox
from shop.tests.people import Customer, sign_up

pytestmark = pytest.mark.live

MUG, SOLD_OUT = "KIT-0160", "BOK-0121"
PUPPET = "TOY-0142"
CANDLE = "HOM-0132"
"""Nobody else orders it here, so that its reports can be counted."""
ENDS = {
    ("tok_visa", MUG): ("CONFIRMED", None),
    ("tok_declined", MUG): ("CANCELLED", "payment-declined"),
    ("tok_visa", SOLD_OUT): ("CANCELLED", "out-of-stock"),
    ("tok_flaky_then_ok", MUG): ("CONFIRMED", None),
    ("tok_slow", MUG): ("CONFIRMED", None),
}


async def ended(customer: Customer, order_id: str) -> Any:
    """Wait for the end of an order."""
    async with asyncio.timeout(60):
        while True:
            order = await customer.get(f"/orders/{order_id}")
            if order["status"] in ("CONFIRMED", "CANCELLED"):
                return order
            await asyncio.sleep(0.05)


async def mails_to(mailbox: Sandbox, email: str, count: int) -> list[dict[str, Any]]:
    """Wait for so many mails to one address."""
    async with asyncio.timeout(60):
        while True:
            mails = [mail for mail in mailbox.request("GET", "/messages")[1] if mail["to"] == [email]]
            if len(mails) >= count:
                return mails
            await asyncio.sleep(0.05)


async def test_every_order_ends_and_nothing_happens_twice(live: LiveSystem) -> None:
    provider = Sandbox(url=live.state.urls["payment-provider"])
    mailbox = Sandbox(url=live.state.urls["mailbox"])
    customer = await sign_up(live, "live@example.com")
    before = await customer.get(f"/stock/{MUG}")
    provider.behave(fail_after_commit=True)
    placed = {}
    for (card, sku), end in ENDS.items():
        answer = await customer.order((sku, 1), card=card, key=f"{card}-{sku}")
        assert answer.status == 201, answer.body
        placed[answer.json()["order_id"]] = end
    orders = [await ended(customer, order_id) for order_id in placed]
    provider.behave()
    assert {order["order_id"]: (order["status"], order.get("reason")) for order in orders} == placed

    mails = await mails_to(mailbox, customer.email, len(placed))
    assert Counter(mail["deliveries"] for mail in mails) == {1: len(placed)}
    keys = provider.ledger()["keys"]
    effects = [entry for key, entry in keys.items() if entry["reference"] in placed]
    assert all(entry["effects"] == 1 for entry in effects)
    charged = sum(e["amount"] for e in effects if e["path"].endswith("payment_intents"))
    refunded = sum(e["amount"] for e in effects if e["path"].endswith("refunds"))
    assert charged - refunded == sum(o["total"] for o in orders if o["status"] == "CONFIRMED")
    after = await customer.get(f"/stock/{MUG}")
    assert after["received"] == after["available"] + after["reserved"] + after["sold"]
    assert before["available"] - after["available"] == 3


async def test_who_wants_to_is_asked_how_it_was_until_one_post_of_their_mail_program(live: LiveSystem) -> None:
    mailbox = Sandbox(url=live.state.urls["mailbox"])
    customer = await sign_up(live, "asked@example.com")
    wish = {"language": "de", "kinds": {"feedback": True}}
    assert (await live.put("/notifications/preferences", json=wish, token=customer.token)).status == 200
    await customer.order((MUG, 1))
    mails = {mail["subject"]: mail for mail in await mails_to(mailbox, customer.email, 2)}
    assert mails.keys() == {"Ihre Bestellung ist bestätigt", "Wie war es?"}
    token = mails["Wie war es?"]["body"].rpartition("?token=")[2]
    assert live.state.gateway.startswith("http://")
    gateway = http.client.HTTPConnection(live.state.gateway.removeprefix("http://"), timeout=10)
    with contextlib.closing(gateway):  # as RFC 8058 wants it: a form, and nothing that says who posts it
        form = {"content-type": "application/x-www-form-urlencoded"}
        gateway.request("POST", f"/notifications/unsubscribe?token={token}", "List-Unsubscribe=One-Click", form)
        answer = gateway.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"kind":"feedback"}')
    assert (await customer.get("/notifications/preferences"))["kinds"]["feedback"] is False


async def test_an_order_outlives_its_customer_and_the_address_does_not(live: LiveSystem) -> None:
    """Whatever the orders are kept in."""
    leaver, other = [await sign_up(live, f"{name}@example.com") for name in ("leaver", "other")]
    placed = [(await one.order((MUG, 1), deliver_to="1 Navy Yard")).json() for one in (leaver, other)]
    for one, order in zip((leaver, other), placed, strict=True):
        assert (await ended(one, order["order_id"]))["deliver_to"] == "1 Navy Yard"
    assert (await live.delete("/users/me", token=leaver.token)).status == 204
    async with asyncio.timeout(60):
        while True:
            kept = await leaver.get(f"/orders/{placed[0]['order_id']}")
            if "deliver_to" not in kept:
                break
            await asyncio.sleep(0.05)
    assert (kept["status"], kept["total"], kept["lines"]) == ("CONFIRMED", placed[0]["total"], placed[0]["lines"])
    assert (await other.get(f"/orders/{placed[1]['order_id']}"))["deliver_to"] == "1 Navy Yard"


async def test_sales_are_in_the_reports_once_although_analytics_is_killed(live: LiveSystem) -> None:
    customer, staff = await sign_up(live, "counted@example.com"), live.token("staff", roles=["admin"])
    for number in range(6):
        answer = await customer.order((CANDLE, number + 1), key=f"candle-{number}")
        assert answer.status == 201, answer.body
        if number == 3:
            os.kill(live.process("analytics-0").pid, signal.SIGKILL)

    async def sold() -> tuple[int, int]:
        answer = await live.get("/reports/top-products?limit=100", token=staff)
        rows = answer.json() if answer.status == 200 else []
        return next(((row["orders"], row["pieces"]) for row in rows if row["sku"] == CANDLE), (0, 0))

    async with asyncio.timeout(60):
        while (found := await sold()) < (6, 21):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    assert found == (6, 21)
    funnel = await live.get("/reports/funnel", token=staff)
    assert funnel.status == 200, funnel.body
    assert (await live.get("/reports/funnel", token=customer.token)).status == 403


async def test_what_customers_find_follows_the_shelves_and_stays_when_it_is_built_anew(live: LiveSystem) -> None:
    staff = live.token("staff", roles=["admin"])

    async def found(question: str) -> list[str]:
        answer = await live.get(f"/search?{question}")
        return [each["sku"] for each in answer.json()["data"]] if answer.status == 200 else []

    async def until(question: str, skus: list[str]) -> None:
        async with asyncio.timeout(60):
            while await found(question) != skus:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)

    await until("q=crocodle+puppets", [PUPPET])  # endings and slips
    emptied = await live.put(f"/stock/{PUPPET}", json={"available": 0}, token=staff)
    assert emptied.status == 200, emptied.body
    await until("q=crocodile&stock=SOLD_OUT", [PUPPET])
    rebuilt = await asyncio.to_thread(live.run, "projections", "rebuild", "product-search")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert await found("q=crocodile&stock=SOLD_OUT") == [PUPPET]
    answer = await live.get("/search/suggestions?q=hand+pup")
    assert "Hand puppet, crocodile" in answer.json()


async def test_a_picture_goes_past_the_services(live: LiveSystem) -> None:
    admin = live.token("somebody", roles=["admin"])
    content = b"\xff\xd8\xff a photograph" * 10_000
    offer = {"type": "image/jpeg", "size": len(content)}
    answer = await live.post(f"/products/{CANDLE}/pictures/tickets", json=offer, token=admin)
    assert answer.status == 201, answer.body
    ticket = answer.json()
    for statuses in ((200, 201), (403, 409, 412)):  # engines choose among several; none writes twice
        put = await live.follow(ticket["url"], method="PUT", headers=ticket["headers"], content=content)
        assert put.status in statuses, put.body
    hung = await live.post(f"/products/{CANDLE}/pictures", json={"name": ticket["name"]}, token=admin)
    assert hung.status == 204, hung.body
    async with asyncio.timeout(60):
        while True:
            images = (await live.get(f"/v2/products/{CANDLE}")).json()["images"]
            if images:
                break
            await asyncio.sleep(0.05)
    seen = await live.follow(images[-1])
    assert (seen.body, seen.headers["content-type"]) == (content, "image/jpeg")
