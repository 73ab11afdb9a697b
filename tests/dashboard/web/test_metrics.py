"""The page of metrics in a real browser, over what was sent to the collector."""

import json
import time
import urllib.request
from collections.abc import Callable

from tests.dashboard.web.serving import Guarded, Serving

Visit = Callable[..., Guarded]


def gauge(serving: Serving, name: str, value: float) -> None:
    """Send one value of a metric."""
    point = {"timeUnixNano": str(time.time_ns()), "asDouble": value}
    metrics = [{"name": name, "unit": "1", "gauge": {"dataPoints": [point]}}]
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
