"""Metrics as text: whatever is measured, the parsers of Prometheus' own client read it as it was."""

import itertools
import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric as Parsed
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_metrics

from shoal.errors import CallFailed, CallTimedOut
from shoal.runtime.metrics.calls import attempts, measured
from shoal.runtime.metrics.catalog import CATALOG
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.metrics.text import BOUNDS, is_open, prometheus_name, render
from shoal.runtime.retries import RetryBudget
from shoal.runtime.trace import Trace
from shoal.service.marks import Operation
from shoal.telemetry.measures import Family, Kind, Metric, Point

TRACE = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029", exclude_categories=["Cc", "Cs"]), max_size=20
)
odd = texts | st.sampled_from(['a"b', "a\\b", "a\nb", "{}", 'a",x="'])
seconds = st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=50)


def both(families: Sequence[Family]) -> list[list[Parsed]]:
    plain = list(plain_metrics(render(families).decode()))
    opened = list(open_metrics(render(families, exemplars=True).decode()))  # type: ignore[no-untyped-call]
    return [plain, opened]


def counter(value: float, **labels: str) -> Family:
    metric = Metric(name="shoal.some.things", kind="counter", unit="{thing}", summary="Some.")
    return Family(metric, [Point(tuple(labels.items()), value)])


@given(odd, st.integers(0, 2**53) | st.floats(0, 1e300))
def test_any_value_and_any_label_comes_back(label: str, value: float) -> None:
    for parsed in both([counter(value, what=label)]):
        (sample,) = [s for family in parsed for s in family.samples]
        assert (sample.name, sample.labels, sample.value) == ("shoal_some_things_total", {"what": label}, value)


@given(seconds)
def test_buckets_count_what_lies_below_them_and_have_the_latest_trace(values: list[float]) -> None:
    metrics = Metrics()
    series = metrics.series("event", "orders.order_placed.v1")
    for value in values:
        series.observe("ok", value, TRACE)
    plain, opened = both(metrics.snapshot())
    for parsed in (plain, opened):
        (family,) = [f for f in parsed if f.name == "messaging_process_duration_seconds"]
        found = {float(s.labels["le"]): s for s in family.samples if s.name.endswith("_bucket")}
        assert {le: s.value for le, s in found.items()} == {
            le: sum(value <= le for value in values) for le in (*BOUNDS, math.inf)
        }
        (total,) = [s.value for s in family.samples if s.name.endswith("_sum")]
        assert math.isclose(total, sum(values))
    ordered = [-math.inf, *sorted(found)]
    for below, le in itertools.pairwise(ordered):
        here = [value for value in values if below < value <= le]
        exemplar = found[le].exemplar
        assert (exemplar is not None) == bool(here)
        assert exemplar is None or (exemplar.value in here and exemplar.labels["trace_id"] == TRACE.trace_id)


class Answer(NamedTuple):
    """What came back."""

    status: int


@pytest.mark.parametrize(
    ("came", "labels"),
    [
        (Answer(200), {"http_response_status_code": "200"}),
        (CallFailed("shelf.price", status=404), {"http_response_status_code": "404", "error_type": "404"}),
        (CallFailed("shelf.price", status=503), {"http_response_status_code": "503", "error_type": "503"}),
        (CallTimedOut("shelf.price"), {"error_type": "CallTimedOut"}),
    ],
)
async def test_an_attempt_says_how_it_ended(came: Answer | CallFailed, labels: dict[str, str]) -> None:
    metrics, budget = Metrics(), RetryBudget()
    operation = Operation(name="price", method="GET", path="/prices/{sku}", service="shelf")

    async def once() -> Answer:
        if isinstance(came, CallFailed):
            raise came
        return came

    with nullcontext() if isinstance(came, Answer) else pytest.raises(CallFailed):
        await measured(attempts(metrics, operation, budget), once)()
    budget.earn()
    assert [budget.spend() for _ in range(2)] == [True, False]
    plain, _ = both(metrics.snapshot())
    found = {s.name: s for family in plain for s in family.samples}
    always = {
        "http_request_method": "GET",
        "url_template": "/prices/{sku}",
        "server_address": "shelf",
        "shoal_operation": "shelf.price",
    }
    assert found["http_client_request_duration_seconds_count"].labels == always | labels
    assert found["shoal_call_retries_total"].value == 1
    assert found["shoal_call_retry_budget"].value == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("name", "kind", "unit", "expected"),
    [
        ("process.cpu.time", "counter", "s", "process_cpu_time_seconds_total"),
        ("process.memory.usage", "level", "By", "process_memory_usage_bytes"),
        ("http.server.request.duration", "histogram", "s", "http_server_request_duration_seconds"),
        ("shoal.outbox.pending", "gauge", "{event}", "shoal_outbox_pending"),
        ("shoal.wait.seconds", "gauge", "s", "shoal_wait_seconds"),
    ],
)
def test_names_follow_the_rules_of_opentelemetry(name: str, kind: Kind, unit: str, expected: str) -> None:
    assert prometheus_name(Metric(name=name, kind=kind, unit=unit, summary="")) == expected


def test_no_two_metrics_share_a_name() -> None:
    assert len({prometheus_name(metric) for metric in CATALOG.values()}) == len(CATALOG)


def test_what_is_not_in_the_catalog_cannot_be_measured() -> None:
    with pytest.raises(KeyError, match="is not in the catalog of metrics"):
        Metrics().watch("shoal.unheard.of", lambda: 1.0)


@pytest.mark.parametrize(
    ("accept", "opened"),
    [
        (b"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", True),
        (b"text/plain", False),
        (b"*/*", False),
        (b"", False),
    ],
)
def test_exemplars_are_for_who_asks(accept: bytes, opened: bool) -> None:
    assert is_open(accept) is opened
