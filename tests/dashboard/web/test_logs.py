"""Logs in a real browser."""

from collections.abc import Callable
from typing import Any

from tests.dashboard.web.serving import Guarded, Serving
from tests.dashboard.web.told import Told

Visit = Callable[..., Guarded]
Shop = tuple[Serving, dict[str, str]]


def opened(shop: Shop, visit: Visit, path: str) -> Any:
    page = visit(shop[0]).open(path)
    page.wait_for_selector(".rows > .row")
    return page


def test_several_services_are_chosen_and_kept_in_the_address(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, "/logs")
    page.click("summary")
    page.check(".menu >> text=orders")
    page.wait_for_url("**/logs?service=orders")
    page.check(".menu >> text=products")
    page.wait_for_url("**/logs?service=orders&service=products")
    page.keyboard.press("Escape")
    page.select_option("select >> nth=2", "error")
    page.wait_for_selector("text=1 line")
    page.reload()
    page.wait_for_selector("text=1 line")
    assert "payment refused" in page.inner_text(".rows")


def test_a_line_leads_to_its_trace_and_back_to_the_same_filter(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, "/logs?text=refused")
    page.click(".rows a")
    page.wait_for_selector(".lane .bar")
    assert shop[1]["failed"] in page.url
    page.click("nav >> text=Logs")
    page.wait_for_selector("text=payment refused")
    assert page.url.endswith("/logs?text=refused")


def test_new_lines_come_by_themselves_unless_paused(serve: Callable[..., Serving], visit: Visit) -> None:
    serving, told = serve(), Told()
    told.line("orders", "info", "the first", 1e12)
    serving.tell(told)
    page = visit(serving).open("/logs?range=run")
    page.wait_for_selector("text=the first")
    page.wait_for_selector("header .badge:has-text('live')")
    told.line("orders", "info", "the second", 1e12 + 1)
    serving.tell(told)
    page.wait_for_selector("text=the second")
    page.keyboard.press("p")
    told.line("orders", "info", "the third", 1e12 + 2)
    serving.tell(told)
    with page.expect_response("**/api/logs*"):
        page.keyboard.press("p")
    page.wait_for_selector("text=the third")


def test_older_lines_come_as_one_scrolls(serve: Callable[..., Serving], visit: Visit) -> None:
    serving, told = serve(), Told()
    for number in range(1000):
        told.line("orders", "info", f"line {number}.", 1e12 + number)
    serving.tell(told)
    page = visit(serving).open("/logs?range=run")
    page.wait_for_selector("text=line 999.")
    page.focus(".table")
    page.keyboard.press("End")
    page.wait_for_selector("text=600 lines")
    assert len(page.query_selector_all(".rows > .row")) < 100
