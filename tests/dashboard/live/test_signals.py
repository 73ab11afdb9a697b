"""Golden signals of a service: failures apart, by replica and by version."""

from typing import Any

import msgspec

from shoal import model
from shoal.dashboard.live import service
from shoal.dashboard.store.reading import Operation
from shoal.dashboard.store.reading.metrics import MetricSeries
from shoal.local.state import ProcessState, RunState


def lately(replica: str, rate: float, status: int, p99: float = 0.25) -> MetricSeries:
    return MetricSeries(
        service="orders", replica=replica, attributes={"http.response.status_code": status}, times=[1.0],
        values=[rate], total=9.0, quantiles={"p99": [p99]}, mean=[0.1],
    )  # fmt: skip


def process(name: str) -> ProcessState:
    return ProcessState(name=name, kind="service", service="orders", status="ready", pid=1)


def run(*names: str) -> RunState:
    more: dict[str, Any] = {"root": "/x", "shape": "processes", "status": "ready", "runtime": "/r", "gateway": ""}
    return RunState(
        system="shop", started_at="2026-01-01T00:00:00+00:00", processes=tuple(map(process, names)), pid=1, **more
    )


def test_two_versions_are_told_apart_with_what_each_got_wrong() -> None:
    durations = [
        lately("orders-0", 6.0, 200), lately("orders-1", 2.0, 404), lately("orders-canary-0", 3.0, 200),
        lately("orders-canary-0", 1.0, 503, p99=2.0),
    ]  # fmt: skip
    replicas = service.replicas("orders", run("orders-0", "orders-1", "orders-canary-0"), {}, (), durations)
    assert [(one.name, one.rate, one.errors) for one in replicas] == [
        ("orders-0", 6.0, 0),
        ("orders-1", 2.0, 0),
        ("orders-canary-0", 4.0, 1.0),
    ], "what is refused is an answer"
    present, canary = service.versions(replicas)
    assert (present.name, present.replicas, present.rate, present.errors, present.p99) == ("", 2, 8.0, 0, 250.0)
    assert (canary.name, canary.replicas, canary.rate, canary.errors, canary.p99) == ("canary", 1, 4.0, 1.0, 2000.0)


def test_only_a_process_of_a_second_version_bears_its_name() -> None:
    assert [service.second(process(name)) for name in ("orders-0", "orders-11", "orders-next-one-0")] == [
        "",
        "",
        "next-one",
    ]
    assert service.second(ProcessState(name="payment-provider", kind="sandbox", status="ready")) == ""


def test_failures_have_quantiles_of_their_own() -> None:
    seen = Operation(
        service="orders", name="GET /orders", kind="server", count=10, errors=4, rate=1.0, mean=3.0, p50=2.0, p90=3.0,
        p99=4.0, error_p50=50.0, error_p99=90.0,
    )  # fmt: skip
    heard = msgspec.structs.replace(seen, name="process shop.opened.v1", kind="consumer")
    hears = model.Subscription(event="shop.opened.v1", handler="open_up", source="orders.py:7")
    orders = model.Service(
        name="orders", entry="x:orders", store=model.Store(engine="postgres"), subscriptions=(hears,)
    )
    told, opened = service.signals(orders, [seen, heard])
    assert (told.source, opened.source) == ("", "orders.py:7")
    whole = service.whole([told])
    assert (whole["p50"], whole["p99"], whole["error_p50"], whole["error_p99"]) == (2.0, 4.0, 50.0, 90.0)
