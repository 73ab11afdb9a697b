"""Forms and actions of the pages, on the running shop, mostly by keyboard."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from shoal.local import faults
from shoal.local.layout import layout_of
from shoal.model.fault import Fault
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


@pytest.fixture(scope="module")
def customer(live: LiveSystem) -> Customer:
    """Somebody whose order is confirmed."""

    async def buy() -> Customer:
        found = await sign_in(live)
        await end_of(live, found, (await order(live, found)).json()["order_id"])
        return found

    return away(buy())


@pytest.fixture
def guarded(live: LiveSystem, browser: Any) -> Iterator[Guarded]:
    with owner(live, browser, expected=("409",)) as found:
        yield found


def test_an_order_is_placed_with_the_form_and_becomes_a_test(guarded: Guarded, customer: Customer) -> None:
    page = guarded.open(f"/api?operation=orders.place_order&as={subject_of(customer)}")
    page.wait_for_selector("aside label:has-text('sku')")
    assert page.input_value("aside label:has-text('sku') input") == "KIT-0110"
    page.fill("aside label:has-text('quantity') input", "2")
    page.focus("button:has-text('Send')")
    page.keyboard.press("Enter")
    page.wait_for_selector("aside summary >> text=201")
    page.wait_for_selector("[aria-label=Trace] >> text=payments")
    assert '"quantity": 2' in page.inner_text("aside details pre")
    page.click("button:has-text('As code')")
    page.wait_for_selector("pre:has-text('async def test_orders_place_order_answers_201')")
    with page.expect_download() as saving:
        page.click("button:has-text('Save')")
    assert "live.token(" in Path(saving.value.path()).read_text("utf-8")


def test_what_the_service_refuses_is_shown_as_it_says_it(guarded: Guarded, customer: Customer) -> None:
    page = guarded.open(f"/api?operation=orders.place_order&as={subject_of(customer)}")
    page.click("button:has-text('As JSON')")
    page.fill("textarea[aria-label='Body as JSON']", '{"lines": [], "payment_method": "tok_visa"}')
    page.click("button:has-text('Send')")
    page.wait_for_selector("aside summary >> text=422")
    page.fill("textarea[aria-label='Body as JSON']", "{")
    page.wait_for_selector("aside [role=alert]")


def test_parameters_are_asked_for_as_what_they_are(guarded: Guarded) -> None:
    page = guarded.open("/api?operation=products.find_products")
    page.fill("aside label:has(span:text-matches('^q\\\\b')) input", "pan")
    page.select_option("aside label:has(span:text-is('stock')) select", "IN_STOCK")
    page.fill("aside label:has(span:text-is('limit')) input[type=number]", "0")
    page.click("button:has-text('Send')")
    assert page.query_selector("aside label:has(span:text-is('limit')) input:invalid"), "it is not sent"
    page.fill("aside label:has(span:text-is('limit')) input", "1")
    page.click("button:has-text('Send')")
    page.wait_for_selector("aside summary >> text=200")


def test_a_declaration_leads_to_its_lines_of_code(guarded: Guarded) -> None:
    page = guarded.open("/service/orders")
    page.click("[aria-label=Operations] tr:has-text('POST /orders') button.mono >> nth=0")
    page.wait_for_selector("[aria-label=Code] .meant")
    assert "code=shop" in page.url
    page.reload()
    page.wait_for_selector("[aria-label=Code] .meant")
    assert "async def place_order" in page.inner_text("[aria-label=Code] pre")
    page.click("[aria-label=Code] button:has-text('×')")
    page.wait_for_selector("[aria-label=Code]", state="detached")


def test_a_store_is_asked_and_the_question_is_in_the_address(guarded: Guarded, customer: Customer) -> None:
    page = guarded.open("/data?of=payments")
    page.wait_for_selector("td:has-text('ledger')")
    page.keyboard.press("Tab")
    page.focus("[role=tab] >> nth=0")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("[role=tab][aria-selected=true]:has-text('Ask')")
    page.fill("textarea", "select status, count(*) as many from payments group by status")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("td:has-text('CAPTURED')")
    page.reload()
    page.wait_for_selector("td:has-text('CAPTURED')")
    page.fill("textarea", "delete from payments")
    page.click("button:has-text('Ask') >> nth=-1")
    page.wait_for_selector(".trouble:has-text('read-only transaction')")


def test_emptying_a_store_wants_its_name(guarded: Guarded) -> None:
    page = guarded.open("/data?of=payments")
    page.click("button:has-text('Reset payments')")
    page.wait_for_selector("dialog[open]")
    assert page.is_disabled("dialog button:has-text('Yes')")
    page.fill("dialog input", "payment")
    assert page.is_disabled("dialog button:has-text('Yes')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_an_event_is_tried_from_its_form_and_the_address_names_it(live: LiveSystem, guarded: Guarded) -> None:
    require_nats(live)
    page = guarded.open("/events?event=inventory.reserved.v1")
    page.click("button:has-text('Publish…')")
    page.fill("form label:has-text('order_id') input", "ord_nobody")
    page.click("button:has-text('Dry run')")
    page.wait_for_selector("[aria-label='Dry run of orders'] >> text=would fail")
    page.wait_for_selector("[aria-label='Dry run of analytics'] >> text=would succeed")


def test_the_way_of_an_event_is_told_under_it(live: LiveSystem, guarded: Guarded, customer: Customer) -> None:
    require_nats(live)
    page = guarded.open("/events?event=orders.confirmed.v1")
    page.click("aside ul button >> nth=0")
    page.wait_for_selector("[aria-label=Delivery] >> text=notifications")
    assert "message=" in page.url
    page.click("button:has-text('Publish one like it')")
    assert page.input_value("form label:has-text('order_id') input").startswith("ord_")


def test_mails_are_found(guarded: Guarded, customer: Customer) -> None:
    page = guarded.open("/mail")
    page.fill("[data-search]", customer.email)
    page.click(f".rows .row:has-text('{customer.email}')")
    page.wait_for_selector("aside pre")
    page.reload()
    page.wait_for_selector(f"aside:has-text('{customer.email}')")


def test_routes_are_listed_and_lead_to_their_forms(guarded: Guarded) -> None:
    page = guarded.open("/gateway")
    page.fill("[data-search]", "/orders")
    page.wait_for_selector(".rows >> text=jwks", state="detached")
    page.click(".rows >> text=place_order")
    page.wait_for_selector("h1:has-text('API')")
    page.wait_for_selector("aside h2:has-text('POST /orders')")


def test_a_path_of_the_old_application_is_set_and_set_back(guarded: Guarded) -> None:
    page = guarded.open("/gateway?part=takeover")
    row = "tr:has-text('GET /coupons/{code}')"
    page.select_option(f"{row} select", "shadow")
    page.click(f"{row} button:has-text('Set')")
    page.wait_for_selector(".saying:has-text('is moved')")
    page.reload()
    page.wait_for_function("row => document.querySelector('tbody select')?.value === 'shadow'")
    page.select_option(f"{row} select", "record")
    page.click(f"{row} button:has-text('Set')")
    page.wait_for_selector(".saying:has-text('is moved')")


def test_a_return_whose_refund_may_be_under_way_is_not_undone(live: LiveSystem, guarded: Guarded) -> None:
    """While payments cannot be reached a return waits at its pivot; the page says why there is no way back."""

    async def buy() -> tuple[Customer, str]:
        found = await sign_in(live)
        bought = (await order(live, found)).json()["order_id"]
        await end_of(live, found, bought)
        return found, bought

    async def struck(to: str) -> None:
        proxies = faults.proxies(layout_of(live.root))
        fault = Fault(caller="orders", callee="payments", abort=503)
        await (faults.add if to == "strike" else faults.clear)(proxies, live.plan, fault)

    found, bought = away(buy())
    away(struck("strike"))
    try:
        assert away(live.post(f"/orders/{bought}/return", token=found.token)).status == 202
        page = guarded.open(f"/sagas?saga=return-goods/{bought}")
        page.wait_for_selector("[aria-label='Every attempt'] span:has-text('refund')")
        page.click("aside button:has-text('Compensate')")
        page.click("dialog button:has-text('Yes')")
        page.wait_for_selector("aside .trouble:has-text('its pivot refund may be happening right now')")
    finally:
        away(struck("mend"))
    page.wait_for_selector("aside .title >> text=completed")


def test_a_metric_is_drawn_and_named_in_the_address(guarded: Guarded, customer: Customer) -> None:
    page = guarded.open("/metrics?of=orders&find=http.server.request.duration")
    page.wait_for_selector(".note:has-text('1 metric')")  # while others arrive, rows move
    page.click(".rows >> text=http.server.request.duration")
    page.wait_for_selector("aside figure:has-text('p99') canvas")
    page.wait_for_selector("aside td:has-text('orders.')")  # of many series the largest are shown
    page.reload()
    page.wait_for_selector("aside h2:has-text('http.server.request.duration')")
