"""The page of metrics in a real browser, over what was sent to the collector."""

import json
import time
import urllib.request
from collections.abc import Callable

from tests.dashboard.web.serving import Guarded, Serving

Visit = Callable[..., Guarded]


TRACE = "5b8efff798038103d269b633813fc60c"


def gauge(serving: Serving, name: str, value: float) -> None:
    """Send one value of a metric."""
    point = {"timeUnixNano": str(time.time_ns()), "asDouble": value}
    send(serving, {"name": name, "unit": "1", "gauge": {"dataPoints": [point]}})


def durations(serving: Serving, name: str, trace: str) -> None:
    """Send a histogram of two durations, the longer one with its trace."""
    now = str(time.time_ns())
    exemplar = {"timeUnixNano": now, "asDouble": 1.5, "traceId": trace, "spanId": "eee19b7ec3c1b174"}
    point = {
        "timeUnixNano": now, "count": "2", "sum": 1.6, "explicitBounds": [1.0], "bucketCounts": ["1", "1"],
        "exemplars": [exemplar],
    }  # fmt: skip
    send(serving, {"name": name, "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}})


def send(serving: Serving, metric: dict[str, object]) -> None:
    metrics = [metric]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "orders"}}]}
    body = json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": metrics}]}]}).encode()
    request = urllib.request.Request(f"{serving.url}/v1/metrics", body, {"content-type": "application/json"})  # noqa: S310 - ours
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        assert answer.status == 200


def test_a_metric_that_was_just_measured_opens_at_once(serve: Callable[..., Serving], visit: Visit) -> None:
    serving = serve()
    writer = serving.record()
    gauge(serving, "shop.first", 1.0)
    assert writer.flush()
    page = visit(serving).open("/metrics")
    page.wait_for_selector(".rows >> text=shop.first")
    page.wait_for_selector("header .badge:has-text('live')")
    page.route("**/api/metrics", lambda _: None)  # the names of all metrics are asked for now and then
    gauge(serving, "shop.second", 2.0)
    assert writer.flush()
    page.fill("input[data-search]", "second")
    page.click(".rows >> text=shop.second")
    page.wait_for_selector("aside h2:has-text('shop.second')")


def test_the_largest_measurement_leads_to_its_trace(serve: Callable[..., Serving], visit: Visit) -> None:
    serving = serve()
    writer = serving.record()
    durations(serving, "shop.wait", TRACE)
    assert writer.flush()
    page = visit(serving, expected=("404",)).open("/metrics?range=run&metric=orders shop.wait")
    page.click("aside td a:has-text('1.50 s')")
    page.wait_for_url(f"**/traces/{TRACE}*")
