"""What is measured and sent is what the official messages read."""

import math

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1 import metrics_pb2 as official

from shoal.telemetry.histogram import Histogram
from shoal.telemetry.measures import Family, Kind, Metric, Point
from shoal.telemetry.metrics import Latest, Span, encode
from shoal.telemetry.resource import encode as encode_resource

RESOURCE = encode_resource({"service.name": "orders"})
WHEN = Span(since=1_000, now=2_000)
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
keys = st.text(min_size=1, max_size=10)
attributes = st.dictionaries(keys, st.text(max_size=20) | st.integers(-(2**63), 2**63 - 1), max_size=4)


def read(kind: Kind, *points: Point, when: Span = WHEN) -> official.Metric:
    metric = Metric(name="some.thing", kind=kind, unit="s", summary="Something.")
    message = ExportMetricsServiceRequest.FromString(encode([Family(metric, points)], RESOURCE, when))
    (resource,) = message.resource_metrics
    assert [(a.key, a.value.string_value) for a in resource.resource.attributes] == [("service.name", "orders")]
    (scope,) = resource.scope_metrics
    found: official.Metric = scope.metrics[0]
    assert (scope.scope.name, found.name, found.unit, found.description) == ("shoal", "some.thing", "s", "Something.")
    return found


@given(numbers, attributes)
def test_a_counter_is_a_cumulative_sum_that_only_grows(value: float, said: dict[str, str | int]) -> None:
    found = read("counter", Point(tuple(said.items()), value)).sum
    assert (found.is_monotonic, found.aggregation_temporality) == (True, official.AGGREGATION_TEMPORALITY_CUMULATIVE)
    (point,) = found.data_points
    assert (point.as_int if isinstance(value, int) else point.as_double) == value
    assert (point.start_time_unix_nano, point.time_unix_nano) == (1_000, 2_000)
    assert {a.key: getattr(a.value, str(a.value.WhichOneof("value"))) for a in point.attributes} == said


def test_levels_add_up_and_gauges_do_not() -> None:
    level = read("level", Point((), 3)).sum
    assert (level.is_monotonic, level.data_points[0].as_int) == (False, 3)
    assert read("gauge", Point((), 0.5)).gauge.data_points[0].as_double == 0.5


@given(st.lists(st.floats(0, 1e9), max_size=50))
def test_a_histogram_keeps_its_buckets(values: list[float]) -> None:
    counted = Histogram()
    for value in values:
        counted.record(value)
    found = read("histogram", Point((("shoal.outcome", "ok"),), counted)).exponential_histogram
    assert found.aggregation_temporality == official.AGGREGATION_TEMPORALITY_CUMULATIVE
    (point,) = found.data_points
    assert (point.count, point.zero_count, point.scale) == (len(values), values.count(0.0), counted.scale)
    assert math.isclose(point.sum, sum(values))
    buckets = {point.positive.offset + n: count for n, count in enumerate(point.positive.bucket_counts) if count}
    assert buckets == counted.buckets
    assert not values or (point.min, point.max) == (min(values), max(values))


def test_exemplars_name_the_trace_and_are_told_once() -> None:
    counted = Histogram()
    counted.record(0.3, TRACE, SPAN)
    (exemplar,) = read("histogram", Point((), counted)).exponential_histogram.data_points[0].exemplars
    assert (exemplar.trace_id.hex(), exemplar.span_id.hex(), exemplar.as_double) == (TRACE, SPAN, 0.3)
    later = Span(since=1_000, now=exemplar.time_unix_nano + 10**9, before=exemplar.time_unix_nano + 10**6)
    assert not read("histogram", Point((), counted), when=later).exponential_histogram.data_points[0].exemplars


def test_what_was_not_taken_gives_way_to_what_is_newer() -> None:
    latest = Latest(5.0)
    assert latest.take() is None
    latest.put(b"old", 1)
    latest.put(b"new", 2)
    parcel = latest.take()
    assert parcel is not None
    assert (parcel.body, parcel.count, parcel.more) == (b"new", 2, False)
    assert latest.take() is None
