"""Traces that are large, deep, broken or not ended."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.dashboard.web.serving import Guarded, Serving
from tests.dashboard.web.told import Told

Visit = Callable[..., Guarded]

LARGE, DEEP, OPEN, RING = "aa" * 16, "bb" * 16, "cc" * 16, "dd" * 16


@pytest.fixture(scope="module")
def odd(serve: Callable[..., Serving]) -> Serving:
    serving, told, at = serve(), Told(), time.time() * 1000 - 60_000
    root = told.span(LARGE, "", "orders", "POST /all", "server", (at, 9000))
    for number in range(10_000 - 1):
        name, when = f"step {number % 3}" if number % 2 else f"own {number}", at + number * 0.9
        told.span(LARGE, root, "orders", name, "internal", (when, 0.5))
    parent = ""
    for number in range(2000):
        parent = told.span(
            DEEP, parent, "orders", f"level {number}", "internal", (at + number * 0.01, 100 - number * 0.02)
        )
    told.span(OPEN, "12" * 8, "orders", "SELECT open", "client", (at, 5))
    told.span(OPEN, "12" * 8, "orders", "SELECT again", "client", (at + 10, 5))
    for own, other in (("01" * 8, "02" * 8), ("02" * 8, "01" * 8)):
        told.span(RING, other, "orders", f"ring {own[:2]}", "internal", (at, 5))
        told.spans[-1][1]["spanId"] = own
    serving.tell(told)
    return serving


def drawn(visit: Visit, odd: Serving, path: str) -> Any:
    page = visit(odd).open(path)
    page.wait_for_selector(".lane .bar")
    return page


def test_ten_thousand_spans_are_walked_from_end_to_end(odd: Serving, visit: Visit) -> None:
    page = drawn(visit, odd, f"/traces/{LARGE}")
    assert "10.0 k spans" in page.inner_text(".title")
    assert "1667 × step" in page.inner_text(".rows").replace(",", "")
    page.focus(".table")
    page.keyboard.press("End")
    page.wait_for_selector(".rows >> text=own 9998")
    assert page.evaluate("document.querySelectorAll('*').length") < 3000
    page.keyboard.press("Enter")
    page.wait_for_selector("aside >> text=own 9998")


def test_a_crowd_of_spans_unfolds(odd: Serving, visit: Visit) -> None:
    page = drawn(visit, odd, f"/traces/{LARGE}")
    page.click(".rows >> text=step 1 >> nth=0")
    page.wait_for_url("**unfold=*")
    page.reload()
    page.wait_for_selector(".lane .bar")
    names = [row.inner_text() for row in page.query_selector_all(".rows > .row")]
    assert sum("step 1" in name for name in names) > 10


def test_a_deep_trace_is_drawn(odd: Serving, visit: Visit) -> None:
    page = drawn(visit, odd, f"/traces/{DEEP}")
    page.focus(".table")
    page.keyboard.press("End")
    page.wait_for_selector(".rows >> text=level 1999")


def test_what_has_not_ended_is_open_with_what_is_known_below_it(odd: Serving, visit: Visit) -> None:
    page = drawn(visit, odd, f"/traces/{OPEN}")
    lines = [row.inner_text() for row in page.query_selector_all(".rows > .row")]
    assert len(lines) == 3
    assert "open" in lines[0]
    assert "15.0 ms" in lines[0]


def test_what_goes_on_now_lasts_until_now(odd: Serving, visit: Visit) -> None:
    told, trace = Told(), "ee" * 16
    told.span(trace, "12" * 8, "orders", "SELECT soon", "client", (time.time() * 1000 - 3000, 5))
    odd.tell(told)
    page = drawn(visit, odd, f"/traces/{trace}")
    line = page.inner_text(".rows > .row >> nth=0")
    assert "open" in line
    assert re.search(r"\d\.\d+ s", line)


def test_a_ring_of_parents_is_cut(odd: Serving, visit: Visit) -> None:
    page = drawn(visit, odd, f"/traces/{RING}")
    assert len(page.query_selector_all(".rows > .row")) == 2
