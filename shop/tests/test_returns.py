"""Giving goods back: a saga over three services, in one process, with everything outside it faked."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shoal.testing import MemorySystem
from shop.orders.contract import OrderConfirmed, OrderReturned
from shop.tests.fakes import FakeMailer, FakeProvider
from shop.tests.people import Customer
from shop.tests.test_audit import outside

MUG = "KIT-0160"


async def confirmed(system: MemorySystem, customer: Customer, quantity: int = 2) -> str:
    """Order mugs and wait until they are ours to give back."""
    order_id: str = (await customer.order((MUG, quantity))).json()["order_id"]
    await system.events.expect(OrderConfirmed, lambda event: event.order_id == order_id)
    await system.settle()
    return order_id


async def give_back(system: MemorySystem, customer: Customer, order_id: str) -> tuple[int, Mapping[str, Any]]:
    answer = await system.post(f"/orders/{order_id}/return", token=customer.token)
    await system.settle()
    return answer.status, answer.json()


async def test_returned_goods_are_paid_back_restocked_and_told_of(
    system: MemorySystem, ada: Customer, provider: FakeProvider, mailer: FakeMailer
) -> None:
    before = (await system.get(f"/stock/{MUG}")).json()
    order_id = await confirmed(system, ada)
    assert (await give_back(system, ada, order_id))[0] == 202
    returned = await system.events.expect(OrderReturned)
    assert (returned.order_id, returned.total) == (order_id, 2500)
    assert (await ada.get(f"/orders/{order_id}"))["status"] == "RETURNED"
    assert (await ada.get(f"/payments/{order_id}"))["status"] == "REFUNDED"
    assert provider.refunded == {f"{order_id}-refund": f"pi_{order_id}"}
    assert (await system.get(f"/stock/{MUG}")).json() == before
    assert [mail.subject for mail in mailer.to(ada.email)] == ["Your order is confirmed", "Your order is returned"]
    report = await system.audit(externals=outside(provider, mailer))
    assert report.held, report.complaints()


async def test_asking_again_returns_nothing_twice(
    system: MemorySystem, ada: Customer, provider: FakeProvider, mailer: FakeMailer
) -> None:
    order_id = await confirmed(system, ada)
    for _ in range(3):
        assert (await give_back(system, ada, order_id))[0] == 202
    assert (await system.get(f"/stock/{MUG}")).json()["sold"] == 0
    assert provider.requests[f"{order_id}-refund"] == 1
    assert len(mailer.to(ada.email)) == 2


async def test_a_lost_answer_of_the_provider_pays_back_once(
    system: MemorySystem, ada: Customer, provider: FakeProvider, mailer: FakeMailer
) -> None:
    order_id = await confirmed(system, ada)
    provider.loses = {"refund"}
    assert (await give_back(system, ada, order_id))[0] == 202
    assert (await ada.get(f"/orders/{order_id}"))["status"] == "RETURNED"
    assert provider.requests[f"{order_id}-refund"] == 2
    assert list(provider.refunded) == [f"{order_id}-refund"]
    report = await system.audit(externals=outside(provider, mailer))
    assert report.held, report.complaints()


async def test_what_is_not_confirmed_not_theirs_or_too_old_is_not_returned(
    system: MemorySystem, ada: Customer, bob: Customer, provider: FakeProvider
) -> None:
    declined = (await ada.order((MUG, 1), card="tok_declined")).json()["order_id"]
    order_id = await confirmed(system, ada)
    assert (await give_back(system, bob, order_id))[0] == 404
    status, problem = await give_back(system, ada, declined)
    assert (status, problem["detail"]) == (409, f"order {declined} cannot be returned: it is CANCELLED")
    system.clock.advance(timedelta(days=31))
    late = await system.post(f"/orders/{order_id}/return", token=system.token(ada.user_id))
    assert late.status == 409
    assert "30 days" in late.json()["detail"]
    assert provider.refunded == {}
