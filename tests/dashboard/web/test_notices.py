"""Notices in a real browser: one begins while the page is looked at."""

import time
from collections.abc import Callable

import msgspec

from shoal.dashboard.notices.ledger import Notice
from shoal.dashboard.store.records import Told
from tests.dashboard.web.serving import Guarded, Serving

Visit = Callable[..., Guarded]


def notice(number: int, severity: str, text: str, until: float | None = None) -> Told:
    now = time.time() * 1000
    made = Notice(
        id=f"n{number}", rule="error", key=text, service="orders", severity=severity, since=now - 5000 + number,
        until=until, text=text, traces={"service": "orders", "errors": "true"},
    )  # fmt: skip
    return Told(made.id, made.since, msgspec.json.encode(made))


def test_a_notice_is_told_when_it_begins_and_leads_to_its_traces(serve: Callable[..., Serving], visit: Visit) -> None:
    serving = serve()
    writer = serving.record()
    writer.put([notice(1, "note", "an error nobody had seen", until=time.time() * 1000)])
    assert writer.flush()
    page = visit(serving).open("/notices")
    page.wait_for_selector(".rows >> text=an error nobody had seen")
    assert page.query_selector("header a.badge") is None
    page.wait_for_selector("header .badge:has-text('live')")
    serving.until(lambda: serving.desk.hub.rounds > 0)  # what goes on by then is no news
    writer.put([notice(2, "page", "orders fails for everybody")])
    assert writer.flush()
    page.wait_for_selector(".saying >> text=orders fails for everybody")
    page.wait_for_selector("header a.badge:has-text('1 notice')")
    writer.put([notice(2, "page", "orders still fails for everybody")])  # which is no news
    assert writer.flush()
    page.wait_for_selector(".rows >> text=orders still fails for everybody")
    assert page.inner_text(".saying").startswith("orders fails for everybody")
    page.check("label:has-text('that go on') input")
    page.wait_for_selector(".rows >> text=an error nobody had seen", state="detached")
    page.click(".rows >> text=Traces")
    page.wait_for_url("**/traces?service=orders&errors=1")
