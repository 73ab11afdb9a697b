"""The map in a real browser: what is declared and what was told, by pointer, by keyboard, as a table, and as files."""

import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.web.declared import city, declare, shop
from tests.dashboard.web.serving import Guarded, Serving
from tests.dashboard.web.told import Told, order

Visit = Callable[..., Guarded]
SVG = "{http://www.w3.org/2000/svg}"
WAY = "[data-edge='{}']".format


@pytest.fixture(scope="module")
def told(serve: Callable[..., Serving]) -> Serving:
    """Serve a shop in which orders were placed in the last seconds."""
    serving, said = serve(), Told()
    declare(serving, shop())
    for number in range(6):
        order(said, time.time() * 1000 - 5000 - number * 400, failed=number % 2 == 0)
    serving.tell(said)
    return serving


def opened(told: Serving, visit: Visit, path: str = "/map", **options: Any) -> Any:
    page = visit(told, **options).open(path)
    page.wait_for_selector(".graph svg")
    return page


def test_ways_are_drawn_as_they_were_declared_and_seen(told: Serving, visit: Visit) -> None:
    page = opened(told, visit)
    topic, stored = "orders.order_placed.v1", "orders→orders/postgresql"
    ways = [f"orders→{topic}", f"{topic}→mail", "orders→stock", "orders→payments", stored]
    classes = {way: page.get_attribute(WAY(way), "class").split() for way in ways}
    assert "event" in classes["orders→orders.order_placed.v1"]
    assert "event" in classes["orders.order_placed.v1→mail"]
    assert "idle" in classes["orders→stock"]
    assert "undeclared" in classes["orders→payments"]
    assert "store" in classes["orders→orders/postgresql"]
    assert "1 not declared" in page.inner_text(".title")
    assert "is stopped: history only" in page.inner_text(".title")
    assert "orders → stock → products" in page.inner_text(".title")
    assert "nobody declared it" in page.get_attribute(WAY("orders→payments"), "aria-label")


def test_the_keyboard_reaches_every_way_and_opens_it(told: Serving, visit: Visit) -> None:
    page = opened(told, visit)
    page.focus(WAY("orders→payments"))
    page.keyboard.press("Enter")
    page.wait_for_selector("aside >> text=nobody declared it")
    assert "edge=orders" in page.url
    page.focus("[data-node='stock']")
    page.wait_for_selector(f"{WAY('orders→payments')}.pale")
    assert "pale" not in page.get_attribute(WAY("stock→products"), "class"), "it is in the chain below"
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Service')")
    assert page.url.split("?")[0].endswith("/service/stock")


def test_what_is_hidden_is_in_the_address_and_topics_become_direct_ways(told: Serving, visit: Visit) -> None:
    page = opened(told, visit)
    page.click("label:has-text('topics')")
    page.wait_for_selector(WAY("orders→mail (events)"))
    assert page.query_selector("[data-node='orders.order_placed.v1']") is None
    page.click("label:has-text('idle ways')")
    page.wait_for_selector(WAY("orders→stock"), state="detached")
    page.reload()
    page.wait_for_selector(WAY("orders→mail (events)"))
    assert page.query_selector(WAY("orders→stock")) is None


def test_the_same_is_there_as_a_table(told: Serving, visit: Visit) -> None:
    page = opened(told, visit)
    page.click("button:has-text('Table')")
    page.wait_for_selector("[role=grid][aria-label='Ways between services']")
    text = page.inner_text("[role=grid] .row.bad")
    assert "payments" in text
    assert "undeclared" in text


def test_numbers_change_and_nothing_moves(told: Serving, visit: Visit) -> None:
    page = opened(told, visit)
    before = page.get_attribute("[data-node='orders']", "transform")
    label = page.get_attribute(WAY("orders→payments"), "aria-label")
    said = Told()
    for number in range(30):
        order(said, time.time() * 1000 - 2000 - number)
    told.tell(said)
    page.reload()
    page.wait_for_selector(f'{WAY("orders→payments")}:not([aria-label="{label}"])')
    assert page.get_attribute("[data-node='orders']", "transform") == before


def test_the_last_minutes_are_replayed(told: Serving, visit: Visit) -> None:
    page = opened(told, visit)
    page.click("button:has-text('Replay 5 minutes')")
    page.wait_for_selector("[aria-label=Replay] input[type=range]")
    page.click("[aria-label=Pause]")
    page.fill("input[aria-label=Moment]", "0")
    page.wait_for_selector(f"{WAY('orders→orders.order_placed.v1')}.idle")
    assert "frame=0" in page.url
    page.keyboard.press("End")
    page.wait_for_url("**/map?*frame=29*")
    page.click("button:has-text('End replay')")
    page.wait_for_selector(f"{WAY('orders→orders.order_placed.v1')}:not(.idle)")


def test_the_picture_is_a_file_of_its_own(told: Serving, visit: Visit, tmp_path: Path) -> None:
    page = opened(told, visit)
    with page.expect_download() as saving:
        page.click("button:has-text('SVG')")
    root = ET.parse(saving.value.path()).getroot()  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    assert "orders" in {text.text for text in root.iter(f"{SVG}text")}
    assert all(path.get("stroke") for path in root.iter(f"{SVG}path"))
    with page.expect_download() as saving:
        page.click("text=Mermaid")
    assert Path(saving.value.path()).read_text("utf-8").startswith("flowchart LR")


def test_two_hundred_services_fit_and_the_page_answers_meanwhile(serve: Callable[..., Serving], visit: Visit) -> None:
    serving = serve()
    declare(serving, city(200))
    page = opened(serving, visit)
    page.wait_for_selector("[data-node='district-199']")
    assert page.eval_on_selector_all("[data-node]", "all => all.length") == 201, "stores are hidden at first"
    assert "hide" not in page.url
    page.click("label:has-text('stores')")
    page.wait_for_selector("[data-node='district-7/postgresql']", state="attached")
