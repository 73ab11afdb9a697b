"""Traces and one trace in a real browser, over what a shop told by OpenTelemetry's protocol."""

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal import Issuer, Postgres, Service, System, Transaction, anyone, event, role
from shoal.cli.commands.token import command as token
from shoal.service.describe import describe
from shoal.testing import MemorySystem
from tests.dashboard.web.contrast import unreadable
from tests.dashboard.web.declared import declare
from tests.dashboard.web.serving import Guarded, Serving
from tests.dashboard.web.told import Told

Visit = Callable[..., Guarded]
Shop = tuple[Serving, dict[str, str]]


def rows(page: Any) -> list[str]:
    return [row.inner_text().replace("\n", " ") for row in page.query_selector_all(".rows > .row")]


def opened(shop: Shop, visit: Visit, path: str, wait: str = ".rows > .row", **options: Any) -> Any:
    page = visit(shop[0], **options).open(path)
    page.wait_for_selector(wait)
    return page


def test_traces_are_listed_newest_first_without_probes(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, "/traces")
    assert "80 traces" in page.inner_text(".title")
    assert rows(page)[0].startswith("products GET /products")
    page.click("text=40 of background work hidden")
    page.wait_for_selector(".rows >> text=GET /health")
    assert page.url.endswith("probes=1")


def test_filters_are_in_the_address_and_survive_a_reload(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, "/traces")
    page.fill("input[placeholder='key=value']", "cold=yes")
    page.wait_for_selector("text=1 trace")
    page.select_option("select >> nth=2", "orders")
    page.wait_for_url("**/traces?*service=orders*")
    before = rows(page)
    address = page.url
    page.reload()
    page.wait_for_selector("text=1 trace")
    assert (page.url, rows(page)) == (address, before)
    page.fill("input[placeholder='key=value']", "cold=perhaps")
    page.wait_for_selector("text=No trace fits")
    page.click("text=Take the filters away")
    page.wait_for_selector("text=80 traces")


def test_a_bad_filter_says_what_is_wrong(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, "/traces?attribute=nonsense", ".trouble", expected=("400",))
    assert "key=value" in page.inner_text(".trouble")


def test_dragging_a_box_says_what_sets_the_selection_apart(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, "/traces?operation=POST /orders", ".dot")
    place = page.query_selector(".scatter").bounding_box()
    page.mouse.move(place["x"] + 70, place["y"] + 2)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] - 4, place["y"] + 40, steps=4)
    page.mouse.up()
    page.wait_for_selector(".features li")
    assert "box=" in page.url
    assert "1 selected, compared with 39 others" in page.inner_text(".compare")
    assert "cold" in page.inner_text(".features")
    page.reload()
    page.wait_for_selector(".features li")


def test_groups_gather_traces_of_one_shape(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, "/traces?view=groups")
    shapes = rows(page)
    assert len(shapes) == 3
    assert "GET /products/{sku}" in shapes[0]


def test_a_list_is_walked_and_opened_by_keys(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, "/traces?operation=POST /orders")
    page.focus(".table")
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**/traces/*")
    page.wait_for_selector(".lane .bar")


def test_a_trace_shows_attempts_waits_repeats_and_what_the_end_waited_for(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, f"/traces/{shop[1]['slow']}", ".lane .bar")
    text = page.inner_text("main")
    assert "N+1" in text
    assert "6 × SELECT products" in text
    assert "attempt 2" in text
    assert "timeout" in text
    assert {w.get_attribute("title").split(" in ")[-1] for w in page.query_selector_all(".lane .wait")} >= {"the queue"}
    assert page.query_selector_all(".lane .critical")
    page.check("label:has-text('logs') input")
    page.wait_for_selector(".row.log >> text=order placed")


def test_a_span_tells_all_that_is_known_of_it(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, f"/traces/{shop[1]['failed']}", ".lane .bar")
    page.click(".rows >> text=SELECT products >> nth=0")
    page.wait_for_selector("aside >> text=WHERE sku = $1")
    assert "span=" in page.url
    page.reload()
    page.wait_for_selector("aside >> text=WHERE sku = $1")
    page.click(".rows >> text=payments >> nth=-1")
    page.wait_for_selector("aside >> text=Refused: no money")


def test_spans_are_folded_marked_and_looked_at_closely(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, f"/traces/{shop[1]['slow']}", ".lane .bar")
    count = len(rows(page))
    page.focus(".table")
    for key in ("ArrowDown", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
    page.wait_for_url("**fold=*")
    assert len(rows(page)) == 2
    page.reload()
    page.wait_for_selector(".lane .bar")
    assert len(rows(page)) == 2
    page.keyboard.press("/")
    page.keyboard.type("cold=yes")
    page.wait_for_url("**mark=cold*")
    page.goto(page.url.replace("fold=", "old="))
    page.wait_for_selector(".row.marked")
    assert len(page.query_selector_all(".row.marked")) == 1
    assert len(rows(page)) == count


def test_two_traces_are_compared_by_their_ways(shop: Shop, visit: Visit) -> None:
    page = opened(shop, visit, f"/traces/{shop[1]['usual']}?against={shop[1]['slow']}")
    lines = rows(page)
    assert any("attempt" in line and "+" in line for line in lines)
    page.click("text=Swap")
    page.wait_for_url(f"**/{shop[1]['slow']}?against=*")


def test_a_trace_becomes_a_command_a_test_and_a_file(shop: Shop, visit: Visit) -> None:
    guarded = visit(shop[0], permissions=["clipboard-read", "clipboard-write"])
    page = guarded.open(f"/traces/{shop[1]['usual']}")
    page.click("text=Copy curl")
    page.wait_for_selector(".saying")
    assert "/orders'" in page.evaluate("navigator.clipboard.readText()")
    page.click("text=Copy as pytest")
    page.wait_for_selector("text=Test copied")
    code = page.evaluate("navigator.clipboard.readText()")
    compile(code, "copied", "exec")
    assert 'await system.post("/orders", json={})' in code
    with page.expect_download() as download:
        page.click("text=Export JSON")
    assert download.value.suggested_filename.startswith("trace-")


@event("till.sold", key="cake")
class Sold(msgspec.Struct, frozen=True):
    cake: str


till = Service("till", store=Postgres(), publishes=[Sold])


@till.post("/sales/{cake}", access=anyone)
async def sell(cake: str, tx: Transaction) -> None:
    tx.publish(Sold(cake))


@till.post("/refunds/{cake}", access=role("cashier"))
async def give_back(cake: str) -> None:
    """Nothing comes of it."""


cafe = System("cafe", services=[till], issuer=Issuer(till, audience="cafe"))


@pytest.mark.parametrize(("operation", "path"), [("sell", "/sales/lemon"), ("give_back", "/refunds/lemon")])
def test_what_is_copied_of_a_trace_can_be_run(
    serve: Callable[..., Serving], visit: Visit, tmp_path: Path, operation: str, path: str
) -> None:
    serving, told, trace = serve(), Told(), "ab" * 16
    declare(serving, describe(cafe))
    asked = {"http.request.method": "POST", "url.path": path, "http.response.status_code": 204}
    asked["shoal.operation"] = f"till.{operation}"
    root = told.span(trace, "", "gateway", f"POST {path}", "server", (time.time() * 1000, 5.0), attributes=asked)
    if operation == "sell":
        said = {"messaging.destination.name": "till.sold.v1"}
        told.span(trace, root, "till", "send till.sold.v1", "producer", (time.time() * 1000, 1.0), attributes=said)
    serving.tell(told)
    page = visit(serving, permissions=["clipboard-read", "clipboard-write"]).open(f"/traces/{trace}")
    page.click("text=Copy as pytest")
    page.wait_for_selector("text=Test copied")
    scope: dict[str, Any] = {}
    exec(compile(page.evaluate("navigator.clipboard.readText()"), "copied.py", "exec"), scope)  # noqa: S102 - a test
    test = next(value for name, value in scope.items() if name.startswith("test_"))
    with ThreadPoolExecutor(1) as pool:  # the loop of this thread is the browser's
        pool.submit(asyncio.run, _passes(test, tmp_path)).result()
    page.click("text=Copy curl")
    page.wait_for_selector("text=Command copied")
    signing = re.search(r"\$\(shoal token (.*)\)", page.evaluate("navigator.clipboard.readText()"))
    assert (signing is None) == (operation == "sell"), "whoever needs no token gets none"
    if signing is not None:
        signed = token.make_context("token", signing[1].split()).params
        assert (signed["subject"], signed["roles"]) == ("someone", ("cashier",))


async def _passes(test: Callable[[MemorySystem], Any], folder: Path) -> None:
    system = MemorySystem(cafe, folder)
    await system.start()
    try:
        await test(system)
    finally:
        await system.stop()


def test_text_can_be_read_in_both_themes(shop: Shop, visit: Visit) -> None:
    for path in (f"/traces/{shop[1]['slow']}?logs=1", "/traces?view=groups", "/logs?level=warning"):
        assert unreadable(opened(shop, visit, path)) == [], path
