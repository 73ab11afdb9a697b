"""The shop from end to end: in one process, with everything outside it faked."""

import asyncio
import uuid
from typing import Any

import msgspec
import pytest

from shoal.testing import MemorySystem
from shop.inventory.contract import StockRejected
from shop.notifications.contract import MailWasRefused
from shop.orders.contract import OrderCancelled, OrderConfirmed, OrderPlaced
from shop.payments.contract import PaymentCaptured, PaymentRefunded
from shop.tests.fakes import FakeMailer, FakeProvider
from shop.tests.people import Customer, sign_up

MUG, PEN, SOLD_OUT = "KIT-0160", "STA-0120", "BOK-0121"


async def stock_of(system: MemorySystem, sku: str) -> dict[str, int]:
    shelf: dict[str, Any] = (await system.get(f"/stock/{sku}")).json()
    assert shelf["received"] == shelf["available"] + shelf["reserved"] + shelf["sold"]
    return shelf


async def test_an_order_is_paid_reserved_confirmed_and_announced_by_mail(
    system: MemorySystem, ada: Customer, provider: FakeProvider, mailer: FakeMailer
) -> None:
    before = await stock_of(system, MUG)
    answer = await ada.order((MUG, 2), (PEN, 1))
    assert answer.status == 201, answer.body
    order = answer.json()
    order_id = order["order_id"]
    assert answer.headers["location"] == f"/orders/{order_id}"
    assert (order["status"], order["total"], order["currency"]) == ("PENDING", 2 * 1250 + 4900, "EUR")
    assert [line["name"] for line in order["lines"]] == ["Enamel mug, cream", "Fountain pen, extra-fine"]

    confirmed = await system.events.expect(OrderConfirmed, lambda event: event.order_id == order_id)
    assert confirmed.total == 7400
    await system.settle()

    assert (await ada.get(f"/orders/{order_id}"))["status"] == "CONFIRMED"
    assert (await ada.get(f"/payments/{order_id}"))["status"] == "CAPTURED"
    assert provider.charged == {f"{order_id}-charge": 7400}
    assert provider.refunded == {}
    after = await stock_of(system, MUG)
    assert (after["available"], after["sold"]) == (before["available"] - 2, before["sold"] + 2)
    (mail,) = mailer.to(ada.email)
    assert mail.subject == "Your order is confirmed"
    assert "2 × Enamel mug, cream: 25.00 EUR" in mail.text
    assert [told["order_id"] for told in (await ada.get("/notifications"))["data"]] == [order_id]


async def test_a_declined_card_cancels_the_order_and_moves_nothing(
    system: MemorySystem, ada: Customer, provider: FakeProvider, mailer: FakeMailer
) -> None:
    before = await stock_of(system, MUG)
    order_id = (await ada.order((MUG, 1), card="tok_declined")).json()["order_id"]
    cancelled = await system.events.expect(OrderCancelled)
    await system.settle()
    assert (cancelled.order_id, cancelled.reason) == (order_id, "payment-declined")
    order = await ada.get(f"/orders/{order_id}")
    assert (order["status"], order["reason"]) == ("CANCELLED", "payment-declined")
    assert (provider.charged, provider.refunded) == ({}, {})
    assert await stock_of(system, MUG) == before
    (mail,) = mailer.to(ada.email)
    assert "nothing was charged" in mail.text


async def test_an_empty_shelf_gives_the_money_back_once(
    system: MemorySystem, ada: Customer, provider: FakeProvider, mailer: FakeMailer
) -> None:
    before = await stock_of(system, MUG)
    order_id = (await ada.order((MUG, 1), (SOLD_OUT, 1))).json()["order_id"]
    await system.events.expect(OrderCancelled)
    await system.settle()
    (rejected,) = system.events.all(StockRejected)
    assert [(s.sku, s.wanted, s.available) for s in rejected.shortages] == [(SOLD_OUT, 1, 0)]
    assert len(system.events.all(PaymentRefunded)) == 1
    order = await ada.get(f"/orders/{order_id}")
    assert (order["status"], order["reason"]) == ("CANCELLED", "out-of-stock")
    assert provider.refunded == {f"{order_id}-refund": f"pi_{order_id}"}
    assert await stock_of(system, MUG) == before, "all lines are taken or none"
    (mail,) = mailer.to(ada.email)
    assert "given back the full amount" in mail.text


async def test_a_lost_answer_to_a_charge_is_asked_for_again(
    system: MemorySystem, ada: Customer, provider: FakeProvider
) -> None:
    provider.loses = {"charge"}
    order_id = (await ada.order((MUG, 1))).json()["order_id"]
    await system.events.expect(OrderConfirmed)
    assert provider.requests[f"{order_id}-charge"] == 2
    assert len(provider.charged) == len(system.events.all(PaymentCaptured)) == 1


async def test_a_lost_answer_to_a_refund_is_asked_for_again(
    system: MemorySystem, ada: Customer, provider: FakeProvider
) -> None:
    provider.loses = {"refund"}
    order_id = (await ada.order((SOLD_OUT, 1))).json()["order_id"]
    await system.events.expect(OrderCancelled)
    assert provider.requests[f"{order_id}-refund"] == 2
    assert len(provider.refunded) == len(system.events.all(PaymentRefunded)) == 1


async def test_a_mail_that_got_stuck_is_sent_again(system: MemorySystem, ada: Customer, mailer: FakeMailer) -> None:
    mailer.failures = 2
    await ada.order((MUG, 1))
    await system.events.expect(OrderConfirmed)
    await system.settle()
    assert list(mailer.deliveries.values()) == [1]


async def test_an_address_that_takes_no_mail_is_noted_and_left_alone(
    system: MemorySystem, ada: Customer, mailer: FakeMailer
) -> None:
    mailer.refused.add(ada.email)
    await ada.order((MUG, 1))
    await system.events.expect(OrderConfirmed)
    await system.settle()
    assert [told["outcome"] for told in (await ada.get("/notifications"))["data"]] == ["REFUSED"]
    (refused,) = system.events.all(MailWasRefused)
    assert (refused.user_id, refused.message_id) == (ada.user_id, f"<{refused.order_id}.confirmed@shop.example>")


async def test_who_orders_before_being_known_is_told_in_the_end(
    system: MemorySystem, ada: Customer, mailer: FakeMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = uuid.UUID(int=7)
    early = msgspec.structs.replace(ada, token=system.token(f"usr_{number.hex}"))
    order_id = (await early.order((MUG, 1))).json()["order_id"]
    await system.events.expect(OrderConfirmed)
    assert mailer.mails == {}
    monkeypatch.setattr(uuid, "uuid4", lambda: number)
    await sign_up(system, "early@example.com")
    while not mailer.to("early@example.com"):
        system.clock.advance(30)
        await asyncio.sleep(0)
    assert list(mailer.deliveries) == [f"<{order_id}.confirmed@shop.example>"]


async def test_the_same_key_places_one_order(system: MemorySystem, ada: Customer, provider: FakeProvider) -> None:
    first, again = await ada.order((MUG, 1), key="order-1"), await ada.order((MUG, 1), key="order-1")
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert again.headers["location"] == first.headers["location"]
    other = await ada.order((MUG, 2), key="order-1")
    assert 400 <= other.status < 500, "a key belongs to one request"
    await system.settle()
    assert len(system.events.all(OrderPlaced)) == len(provider.charged) == 1
    assert (await ada.get("/orders"))["pagination"]["total"] == 1


async def test_a_key_of_one_customer_is_not_that_of_another(ada: Customer, bob: Customer) -> None:
    hers, his = await ada.order((MUG, 1), key="order-1"), await bob.order((MUG, 1), key="order-1")
    assert (hers.status, his.status) == (201, 201)
    assert hers.json()["order_id"] != his.json()["order_id"]


async def test_the_order_of_somebody_else_is_as_unknown_as_none(
    system: MemorySystem, ada: Customer, bob: Customer
) -> None:
    order_id = (await ada.order((MUG, 1))).json()["order_id"]
    await system.settle()
    for path in (f"/orders/{order_id}", f"/payments/{order_id}"):
        his, nobodys = (
            await system.get(path, token=bob.token),
            await system.get(path.replace("ord_", "ord_x"), token=bob.token),
        )
        assert his.status == nobodys.status == 404
        assert his.json()["type"] == nobodys.json()["type"]
        assert (await system.get(path)).status == 401
    assert (await bob.get("/orders"))["data"] == []
    assert (await bob.get("/notifications"))["data"] == []


async def test_what_the_shop_does_not_sell_is_named(ada: Customer) -> None:
    answer = await ada.order((MUG, 1), ("ZZZ-9999", 1))
    assert answer.status == 422
    problem = answer.json()
    assert problem["type"].endswith("unknown-sku")
    assert problem["skus"] == ["ZZZ-9999"]


async def test_an_order_that_cannot_be_meant_is_a_problem(ada: Customer) -> None:
    for answer in (await ada.order(), await ada.order((MUG, 0)), await ada.order((MUG, 1), card="4242")):
        assert answer.status == 422
        assert answer.headers["content-type"] == "application/problem+json"


async def test_orders_are_listed_by_page_newest_first(system: MemorySystem, ada: Customer) -> None:
    placed = []
    for _ in range(5):
        placed.append((await ada.order((MUG, 1))).json()["order_id"])
        system.clock.advance(1)
    first = await ada.get("/orders?limit=2")
    assert first["pagination"] == {"page": 1, "limit": 2, "total": 5}
    assert "prev" not in first["_links"]
    second = await ada.get(first["_links"]["next"])
    third = await ada.get(second["_links"]["next"])
    assert "next" not in third["_links"]
    listed = [order["order_id"] for page in (first, second, third) for order in page["data"]]
    assert listed == placed[::-1]


async def test_after_a_rush_for_few_pieces_everything_adds_up(
    system: MemorySystem, ada: Customer, admin_token: str, provider: FakeProvider
) -> None:
    counted = await system.put(f"/stock/{MUG}", json={"available": 7}, token=admin_token)
    assert counted.status == 200
    for number in range(10):
        await ada.order((MUG, 2), (PEN, 1), card="tok_declined" if number == 3 else "tok_visa")
    await system.settle()
    statuses = [order["status"] for order in (await ada.get("/orders?limit=100"))["data"]]
    assert sorted(set(statuses)) == ["CANCELLED", "CONFIRMED"]
    assert statuses.count("CONFIRMED") == 3
    shelf = await stock_of(system, MUG)
    assert (shelf["available"], shelf["reserved"], shelf["sold"]) == (1, 0, 6)
    captured = sum(event.amount for event in system.events.all(PaymentCaptured))
    refunded = sum(event.amount for event in system.events.all(PaymentRefunded))
    confirmed = sum(event.total for event in system.events.all(OrderConfirmed))
    assert captured - refunded == confirmed == 3 * (2 * 1250 + 4900)
    assert (len(provider.charged), len(provider.refunded)) == (9, 6)
