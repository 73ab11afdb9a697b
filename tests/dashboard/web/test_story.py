"""A day with the shop: orders flow, a way breaks, its effects are found and understood, and everything is mended."""

import asyncio
import json
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from shoal.audit.standing import opened, site_of
from shoal.drivers.base import Message, Published
from shoal.model import names
from shoal.testing import LiveSystem
from tests.dashboard.web.owner import owner
from tests.dashboard.web.serving import Guarded
from tests.live.shopping import Customer, end_of, order, require_nats, sign_in, subject_of

pytestmark = pytest.mark.live

T = TypeVar("T")


def away(work: Coroutine[Any, Any, T]) -> T:
    """Run something in a loop of its own: that of this thread is the browser's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture
def guarded(live: LiveSystem, browser: Any) -> Iterator[Guarded]:
    require_nats(live)
    with owner(live, browser, expected=("409",)) as found:
        yield found


def test_a_broken_way_is_found_and_mended(live: LiveSystem, guarded: Guarded) -> None:
    page = guarded.page
    customer, bought = away(_shop(live))
    _orders_flow(page)
    try:
        _strike(guarded, "inventory", "products")
        away(_read_labels(live))
        _breaker_opens(guarded)
        _strike(guarded, "orders", "payments", "422")
        away(_give_back(live, customer, bought[1]))
        _saga_is_undone(guarded, f"return-goods/{bought[1]}")
        _strike(guarded, "orders", "payments")
        away(_give_back(live, customer, bought[0]))
        saga = _saga_retries(guarded)
        _strike(guarded, "orders", "products")
        away(_order_in_vain(live, customer))
        _promise_burns(guarded)
        _guilty_way_is_on_the_map(guarded)
    finally:
        _mend(guarded)
    _saga_ends(guarded, saga)
    away(_plant(live))
    _letter_is_corrected_and_sent_again(guarded, customer, bought[1])
    report = away(live.audit(wait=30))
    assert report.held, report.complaints()


def _orders_flow(page: Any) -> None:
    """Ways on the map come to life as orders are placed."""
    for way in ("gateway→orders", "orders→products", "orders→orders.placed.v1", "orders.placed.v1→payments"):
        page.wait_for_selector(f"[data-edge='{way}']:not(.idle)")
    assert "a second" in page.get_attribute("[data-edge='gateway→orders']", "aria-label")
    page.click("button:has-text('Table')")
    page.wait_for_selector("[role=grid][aria-label='Ways between services'] >> text=gateway")
    page.click("button:has-text('Table')")


def _strike(guarded: Guarded, caller: str, callee: str, status: str = "503") -> None:
    """Inject a fault on one way, with the form of the gateway's page, in place of the one before."""
    page = guarded.open(f"/gateway?part=faults&way={caller}:{callee}")
    page.fill("form label:has-text('answer by') input", status)
    page.click("button:has-text('Inject')")
    page.wait_for_selector(f"[aria-label='Faults on purpose'] tr:has-text('{caller}→{callee}'):has-text('{status}')")


def _breaker_opens(guarded: Guarded) -> None:
    page = guarded.open("/service/inventory")
    page.wait_for_selector("[aria-label='Circuit breakers'] >> text=products.prices")
    assert int(page.inner_text("[aria-label='Circuit breakers'] tbody td:nth-child(3)")) > 0


def _saga_is_undone(guarded: Guarded, saga: str) -> None:
    """Undo a return whose refund is rejected: it waits for a person, and afterwards the order is as it was."""
    page = guarded.open(f"/sagas?saga={saga}")
    page.wait_for_selector("aside .badge:has-text('parked')")
    page.click("aside button:has-text('Compensate')")
    page.click("dialog button:has-text('Yes')")
    page.wait_for_selector("aside .trouble:has-text('nobody knows whether that happened')")
    page.click("aside button:has-text('Compensate anyway')")
    page.fill("dialog input", saga)
    page.keyboard.press("Enter")
    page.wait_for_selector("aside .badge:text-is('compensated')")
    page.wait_for_selector("[aria-label='Every attempt'] >> text=undo open")


def _saga_retries(guarded: Guarded) -> str:
    """Find the return that waits between attempts, and what it tried; return its id."""
    page = guarded.open("/sagas?state=retrying")
    page.click("[role=grid][aria-label=Sagas] .rows .row")
    page.wait_for_selector("[aria-label='Every attempt'] li:nth-child(2)")
    assert "refund" in page.inner_text("[aria-label='Every attempt']")
    return str(page.inner_text("aside h2"))


def _promise_burns(guarded: Guarded) -> None:
    page = guarded.open("/service/orders")
    page.wait_for_selector("[aria-label=Objectives] tr:has-text('orders.place_order') >> text=burns fast")


def _guilty_way_is_on_the_map(guarded: Guarded) -> None:
    page = guarded.open("/map?edge=orders→products")
    page.wait_for_selector("[data-edge='orders→products'].failing")
    page.wait_for_selector("aside:has-text('answered by 503')")
    assert page.inner_text("aside dd.bad-text").endswith(")")
    assert page.query_selector("[data-edge='orders→inventory'].failing") is None


def _mend(guarded: Guarded) -> None:
    page = guarded.open("/gateway?part=faults")
    page.click("button:has-text('Clear all')")
    page.wait_for_selector(".empty >> text=Nothing goes wrong on purpose")


def _saga_ends(guarded: Guarded, saga: str) -> None:
    page = guarded.open(f"/sagas?saga={saga}")
    page.wait_for_selector("aside .title >> text=completed")


def _letter_is_corrected_and_sent_again(guarded: Guarded, customer: Customer, order_id: str) -> None:
    page = guarded.open("/events?part=letters")
    page.click("[role=grid][aria-label='Dead letters'] >> text=notifications.feedback_due.v1")
    corrected = json.dumps({"order_id": order_id, "customer_id": subject_of(customer)})
    page.fill("aside textarea", corrected)
    page.click("button:has-text('Keep this data')")
    page.wait_for_selector("aside:has-text('its first data is kept')")
    page.click("button:has-text('Dry run')")
    page.wait_for_selector("[aria-label^='Dry run of'] >> text=would")
    page.click("button:has-text('Replay')")
    page.wait_for_selector(".empty >> text=No dead letters")


async def _shop(live: LiveSystem) -> tuple[Customer, list[str]]:
    customer = await sign_in(live)
    answers = [await order(live, customer) for _ in range(6)]
    bought = [answer.json()["order_id"] for answer in answers]
    for order_id in bought[:2]:
        assert (await end_of(live, customer, order_id))["status"] == "CONFIRMED"
    return customer, bought


async def _read_labels(live: LiveSystem) -> None:
    """Ask often enough for the breaker to tell an outage from bad luck; a fallback answers."""
    for _ in range(15):
        answer = await live.get("/stock/KIT-0110/label")
        assert answer.status == 200, answer.body


async def _give_back(live: LiveSystem, customer: Customer, order_id: str) -> None:
    answer = await live.post(f"/orders/{order_id}/return", token=customer.token)
    assert answer.status == 202, answer.body


async def _order_in_vain(live: LiveSystem, customer: Customer) -> None:
    for _ in range(8):
        assert (await order(live, customer)).status >= 500


async def _plant(live: LiveSystem) -> None:
    """Announce, past every form, an event that its handler cannot read."""
    kind = "notifications.feedback_due.v1"
    body = {
        "specversion": "1.0", "id": uuid.uuid4().hex, "source": "/shop/notifications", "type": kind,
        "time": datetime.now(UTC).isoformat(), "datacontenttype": "application/json", "data": {"order_id": 7},
    }  # fmt: skip
    subject = names.subject(live.plan.system.name, kind, 0)
    message = Message(id=str(body["id"]), subject=subject, body=json.dumps(body).encode())
    async with opened(live.declared, site_of(live.plan, live.root), live.state.urls) as running:
        assert running.broker is not None
        (outcome,) = await running.broker.publish([message])
        assert isinstance(outcome, Published), outcome
