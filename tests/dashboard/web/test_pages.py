"""Every page alike: drawn without trouble, the same after a reload, told to screen readers."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from shoal.dashboard.server.files import FOLDER
from tests.dashboard.web.contrast import unreadable
from tests.dashboard.web.declared import declare
from tests.dashboard.web.declared import shop as declared
from tests.dashboard.web.serving import Guarded, Serving
from tests.dashboard.web.told import Told, order

Visit = Callable[..., Guarded]

TABLE = (FOLDER / "pages" / "table.js").read_text("utf-8")
PAGES = dict(re.findall(r'name: "(\w+)", title: "(\w+)"', TABLE))
KEYS = dict(re.findall(r'title: "(\w+)".*?key: "(\w)"', TABLE))


@pytest.fixture(scope="module")
def told(serve: Callable[..., Serving]) -> Serving:
    """Serve a declared shop that is stopped, in which orders were placed."""
    serving, said = serve(), Told()
    declare(serving, declared())
    for number in range(5):
        order(said, time.time() * 1000 - 5000 - number * 400)
    serving.tell(said)
    return serving


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_the_same_after_a_reload_and_has_names_for_all_it_offers(
    told: Serving, visit: Visit, name: str
) -> None:
    guarded = visit(told, expected=("503", "404"), reduced_motion="reduce")
    page = guarded.open(f"/{name}?range=6h")
    page.wait_for_selector(f"nav a[aria-current=page]:has-text('{PAGES[name]}')")
    assert page.title() == f"{PAGES[name]} · Shoal"
    heading, address = page.inner_text("main h1"), page.url
    assert page.evaluate(NAMELESS) == []
    assert unreadable(page) == []
    page.reload()
    page.wait_for_selector("main h1")
    assert (page.inner_text("main h1"), page.url) == (heading, address)


@pytest.mark.parametrize("name", PAGES)
def test_all_is_reached_by_the_tab_key_and_seen_there(told: Serving, visit: Visit, name: str) -> None:
    page = visit(told, expected=("503", "404")).open(f"/{name}?range=6h")
    page.wait_for_selector(LOADED.get(name, ".empty, .rows > .row, .plain-table"))
    page.keyboard.press("p")  # what comes meanwhile would move what is counted
    offered = set(page.evaluate(OFFERED))
    assert len(offered) > 20
    reached = []
    for _ in range(len(offered) + 10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert [what for what, _, seen in reached if not seen] == []
    assert reached[0][0] == "skip"
    assert offered - {number for _, number, _ in reached} == set()


def test_every_page_has_a_key_that_leads_there(told: Serving, visit: Visit) -> None:
    page = visit(told, expected=("503", "404")).open("/traces")
    assert KEYS.keys() == set(PAGES.values())
    for title, key in KEYS.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_selector(f"main h1:text-is('{title}')")


def test_a_page_of_another_tab_asks_for_nothing(told: Serving, visit: Visit) -> None:
    guarded = visit(told)
    page = guarded.open("/traces")
    page.wait_for_selector("header .badge:has-text('live')")
    assert told.desk.hub.listeners == 1
    hide = "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
    page.evaluate(hide + "document.dispatchEvent(new Event('visibilitychange'))")
    told.until(lambda: told.desk.hub.listeners == 0)


def test_a_page_asks_again_only_for_what_is_news_to_it(told: Serving, visit: Visit) -> None:
    page = visit(told).open("/resources")
    page.wait_for_selector("header .badge:has-text('live')")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(told.url)))
    for number in range(3):
        told.news("tick", {"spans": number})
    page.wait_for_function("() => performance.getEntriesByName(location.origin + '/api/names').length > 1")
    assert not [path for path in asked if path.startswith(("/api/resources", "/api/runs"))]
    with page.expect_request("**/api/resources"):
        told.news("resources", {})


def test_filters_are_saved_and_chosen_again(told: Serving, visit: Visit) -> None:
    page: Any = visit(told).open("/logs?level=error")
    page.select_option("[aria-label='Saved filters']", "+")
    page.fill("dialog input", "bad ones")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog", state="detached")
    page.goto(page.url.replace("level=error", ""))
    page.wait_for_selector("[aria-label='Saved filters'] option:has-text('bad ones')", state="attached")
    page.select_option("[aria-label='Saved filters']", label="bad ones")
    page.wait_for_url("**/logs?level=error")


NAMELESS = """() => [...document.querySelectorAll('button, a[href], input, select, textarea, dialog, aside')]
  .filter(e => e.checkVisibility() && !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')
    || e.title || e.textContent.trim() || e.labels?.length))
  .map(e => e.outerHTML.slice(0, 90))"""

FOCUSED = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  const seen = e === document.body || style.outlineStyle !== 'none' || e.matches('svg *');
  return [e.classList.contains('skip') ? 'skip' : e.tagName, e.getAttribute('data-offered'), seen];
}"""

OFFERED = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
  .filter(e => e.tabIndex >= 0 && !e.disabled && e.checkVisibility())
  .map((e, n) => (e.setAttribute('data-offered', n), String(n)))"""

LOADED = {"map": ".graph svg .node", "service": ".tiles", "traces": ".rows > .row"}
"""What says that a page has drawn what it has; of the others, a table or that there is none."""
