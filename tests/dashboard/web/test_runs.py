"""Runs in a real browser: two of them, the second slower and with errors."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shoal.dashboard.store import portable, runs
from tests.dashboard.web.serving import Guarded, Serving
from tests.dashboard.web.told import Told

Visit = Callable[..., Guarded]


@pytest.fixture(scope="module")
def two(serve: Callable[..., Serving]) -> Serving:
    serving, told = serve(), Told()
    for key, took in (("first", 5.0), ("second", 50.0)):
        serving.record(key)
        for number in range(20):
            told.span(
                told.identifier(), "", "orders", "GET /orders", "server", (time.time() * 1000 - number, took),
                **({"error": "Late"} if took > 10 else {}),
            )  # fmt: skip
        if key == "second":
            told.span(told.identifier(), "", "orders", "GET /new", "server", (time.time() * 1000, 1.0))
        serving.tell(told)
    return serving


def test_two_runs_are_chosen_and_compared(two: Serving, visit: Visit) -> None:
    page = visit(two).open("/runs")
    for number in ("1", "2"):
        page.check(f"[aria-label='Choose run {number} for a diff']")
    page.click("text=Diff of #1 and #2")
    page.wait_for_selector(".rows >> text=GET /new")
    assert page.url.endswith("/runs?before=1&after=2")
    assert "Late" in page.inner_text("[aria-label=Errors]")
    line = page.inner_text(".rows .row:has-text('GET /orders')")
    assert "0 % → 100 %" in line
    assert page.query_selector(".row .bad-text:has-text('ms')")
    page.reload()
    page.wait_for_selector(".rows >> text=GET /new")


def test_an_earlier_run_is_chosen_and_goes_along(two: Serving, visit: Visit) -> None:
    page = visit(two).open("/traces?range=run")
    page.wait_for_selector("text=21 traces")
    page.select_option("[aria-label=Run]", "1")
    page.wait_for_selector("text=20 traces")
    page.wait_for_selector("header .badge:has-text('recorded')")
    page.click("nav >> text=Logs")
    page.wait_for_url("**/logs?run=1&range=run")


def test_a_run_is_handed_on_as_a_file(two: Serving, visit: Visit, tmp_path: Path) -> None:
    page = visit(two).open("/runs")
    with page.expect_download() as download:
        page.click(".row:has-text('#1') >> text=File")
    download.value.save_as(tmp_path / "run.shoal")
    assert portable.take(tmp_path / "run.shoal", tmp_path / "runs") == 1
    assert runs.runs(tmp_path / "runs").items[0].spans == 20


def test_a_run_that_is_taken_in_leaves_the_present_one_in_view(
    serve: Callable[..., Serving], visit: Visit, tmp_path: Path
) -> None:
    serving, told = serve(), Told()
    for key in ("first", "second"):
        serving.record(key)
        told.span(told.identifier(), "", "orders", f"GET /{key}", "server", (time.time() * 1000, 5.0))
        serving.tell(told)
    folder = runs.folder_of(serving.root)
    portable.export(runs.find(folder, 1), tmp_path / "slow.shoal")
    assert portable.take(tmp_path / "slow.shoal", folder) == 3
    page = visit(serving).open("/traces")
    page.wait_for_selector("header .badge:has-text('live')")
    page.wait_for_selector(".rows >> text=GET /second")
    page.select_option("[aria-label=Run]", "3")
    page.wait_for_selector("header .badge:has-text('recorded')")
    page.wait_for_selector(".rows >> text=GET /first")
    page.goto(f"{serving.url}/runs")
    page.wait_for_selector(".row:has-text('#3') >> text=from slow.shoal")


def test_a_run_that_is_not_there_says_so(two: Serving, visit: Visit) -> None:
    page = visit(two, expected=("404",)).open("/runs?before=1&after=7")
    page.wait_for_selector(".trouble")
    assert "no run 7" in page.inner_text(".trouble")
