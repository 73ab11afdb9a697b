"""The shell in a real browser: pages, empty states, keys, theme, address."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.dashboard.web.serving import TOKEN, Guarded, Serving

Visit = Callable[..., Guarded]

EMPTY = {
    "/resources": "shoal run",
    "/runs": "shoal run",
    "/traces": "shoal call",
    "/logs": "shoal run",
    "/notices": "shoal objectives",
}


@pytest.mark.parametrize("path", EMPTY)
def test_an_empty_page_says_the_command_that_fills_it(empty: Serving, visit: Visit, path: str) -> None:
    page = visit(empty).open(path)
    page.wait_for_selector(".empty")
    assert EMPTY[path] in page.inner_text(".empty")


def test_the_link_opens_the_pages_and_leaves_the_address(empty: Serving, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{empty.url}/traces")
    assert "shoal open" in page.inner_text("body")
    page.goto(f"{empty.url}/traces?token={TOKEN}&text=a")
    page.wait_for_selector("main h1")
    assert page.url == f"{empty.url}/traces?text=a"
    page.context.close()


def test_one_preact_serves_all(empty: Serving, visit: Visit) -> None:
    page = visit(empty).open("/resources")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    preacts = {name for name in loaded if "preact" in name}
    assert len(preacts) == 1


def test_the_keyboard_jumps_helps_and_pauses(empty: Serving, visit: Visit) -> None:
    page = visit(empty).open("/resources")
    page.keyboard.press("?")
    page.wait_for_selector("dialog.help[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.help", state="detached")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.hasAttribute('data-search')")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    page.wait_for_selector("header .badge:has-text('paused')")
    page.keyboard.press("g")
    page.keyboard.press("u")
    page.wait_for_selector("h1:has-text('Runs')")
    assert page.url.endswith("/runs")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_until_one_is_chosen(empty: Serving, visit: Visit, scheme: str) -> None:
    page = visit(empty, color_scheme=scheme).open("/resources")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 27)"
    assert dark == (scheme == "dark")
    page.click("button:has-text('System')")
    page.reload()
    page.wait_for_selector("main h1")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(247, 248, 249)"


def test_a_range_of_time_is_in_the_address_and_goes_along(empty: Serving, visit: Visit) -> None:
    page = visit(empty).open("/resources?range=6h&find=or")
    assert page.input_value("select[aria-label='Time range']") == "6h"
    assert page.input_value("input[data-search]") == "or"
    page.click("nav >> text=Runs")
    page.wait_for_url("**/runs?range=6h")
    page.go_back()
    page.wait_for_url("**/resources?range=6h&find=or")
    assert page.input_value("input[data-search]") == "or"


def test_an_address_that_means_nothing_still_opens(empty: Serving, visit: Visit) -> None:
    page = visit(empty).open("/traces?range=nonsense&text=%zz")
    page.wait_for_selector(".empty")
    page.goto(f"{empty.url}/nowhere/%25zz")
    page.wait_for_selector("main h1")
