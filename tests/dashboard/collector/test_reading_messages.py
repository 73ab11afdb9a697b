"""Messages become records: protobuf and JSON alike, within bounds, and what breaks the rules is counted."""

import contextlib
import gzip
import json
import math
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from shoal.dashboard.collector import application, otlp, values
from shoal.dashboard.collector.application import Collector, Refused, unfolded
from shoal.dashboard.collector.otlp import LOGS, METRICS, TRACES, Malformed, Signal
from shoal.dashboard.store.reading.buckets import between
from shoal.dashboard.store.records import Log, Point, Span
from shoal.dashboard.store.writer import Writer

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
JSON_SPAN = {
    "traceId": TRACE, "spanId": SPAN, "parentSpanId": "00f067aa0ba902b7", "name": "GET /", "kind": 2,
    "startTimeUnixNano": "1800000000000000000", "endTimeUnixNano": "1800000000005000000",
    "status": {"code": 2, "message": "no"},
    "attributes": [{"key": "n", "value": {"intValue": "5"}}, {"key": "t", "value": {"stringValue": "x"}}],
    "events": [{"name": "e", "timeUnixNano": "1800000000001000000"}],
    "links": [{"traceId": "ab" * 16, "spanId": "cd" * 8}],
}  # fmt: skip


def _json(*spans: object) -> bytes:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "orders"}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).encode()


def test_json_has_hexadecimal_identifiers_and_numbers_as_text() -> None:
    (span,), rejected = otlp.read(TRACES, _json(JSON_SPAN), is_json=True)
    assert isinstance(span, Span)
    assert rejected == 0
    assert (span.resource.service, span.resource.replica) == ("orders", "orders")
    assert (span.trace.hex(), f"{span.span & 0xFFFFFFFFFFFFFFFF:x}", f"{span.parent:016x}") == (
        TRACE,
        SPAN,
        "00f067aa0ba902b7",
    )
    assert (span.started, span.took, span.status, span.message) == (1_800_000_000_000_000, 5000, 2, "no")
    assert span.attributes == {"n": 5, "t": "x"}
    assert span.events == [("e", 1_800_000_000_001_000, {})]
    assert span.links == [("ab" * 16, "cd" * 8)]


def test_both_encodings_mean_the_same() -> None:
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    group.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="orders")))
    told = group.scope_spans.add().spans.add(
        trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN), parent_span_id=bytes.fromhex("00f067aa0ba902b7"),
        name="GET /", kind=2, start_time_unix_nano=1_800_000_000_000_000_000,
        end_time_unix_nano=1_800_000_000_005_000_000,
    )  # fmt: skip
    told.status.code, told.status.message = 2, "no"
    told.attributes.append(KeyValue(key="n", value=AnyValue(int_value=5)))
    told.attributes.append(KeyValue(key="t", value=AnyValue(string_value="x")))
    told.events.add(name="e", time_unix_nano=1_800_000_000_001_000_000)
    told.links.add(trace_id=bytes.fromhex("ab" * 16), span_id=bytes.fromhex("cd" * 8))
    packed = otlp.read(TRACES, message.SerializeToString(), is_json=False)
    assert packed == otlp.read(TRACES, _json(JSON_SPAN), is_json=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"traceId": ""},
        {"traceId": "00" * 16},
        {"spanId": "00" * 8},
        {"spanId": "abcd"},
        {"startTimeUnixNano": str(2**64 - 1)},
    ],
)
def test_a_span_that_breaks_the_rules_is_left_out_and_counted(wrong: dict[str, str]) -> None:
    records, rejected = otlp.read(TRACES, _json(JSON_SPAN, JSON_SPAN | wrong), is_json=True)
    assert (len(records), rejected) == (1, 1)


async def test_a_partial_success_says_how_many(collector: Collector) -> None:
    answer = await collector.take(TRACES, _json(JSON_SPAN, JSON_SPAN | {"traceId": "00" * 16}), is_json=True)
    assert json.loads(answer)["partialSuccess"]["rejectedSpans"] == "1"
    packed = ExportTraceServiceResponse.FromString(await collector.take(TRACES, b""))
    assert not packed.HasField("partial_success")


async def test_when_too_much_waits_exporters_are_to_come_again(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Writer, "put", lambda *_: False)
    with pytest.raises(Refused) as refused:
        await collector.take(TRACES, _json(JSON_SPAN), is_json=True)
    assert refused.value.status == 503


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    writer = Writer(tmp_path / "run-000001.db")
    yield Collector(writer)
    writer.close()


@given(st.sampled_from([TRACES, LOGS, METRICS]), st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_message_or_malformed(signal: Signal, body: bytes, is_json: bool) -> None:
    with contextlib.suppress(Malformed):
        otlp.read(signal, body, is_json=is_json)


_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceSpans", "scopeSpans", "spans", "traceId", "spanId", "attributes", "kind"]), inner
        )
    ),
    max_leaves=12,
)


@given(_json_values)
def test_any_json_is_a_message_or_malformed(value: object) -> None:
    with contextlib.suppress(Malformed):
        otlp.read(TRACES, json.dumps(value).encode(), is_json=True)


def test_long_and_many_values_are_cut() -> None:
    many = [{"key": f"k{n}", "value": {"stringValue": "x" * 20_000}} for n in range(values.MOST * 2)]
    deep: object = {"intValue": "1"}
    for _ in range(30):
        deep = {"arrayValue": {"values": [deep]}}
    told = JSON_SPAN | {"attributes": [{"key": "deep", "value": deep}, *many], "name": "n" * 5000}
    (span,), _ = otlp.read(TRACES, _json(told), is_json=True)
    assert isinstance(span, Span)
    assert len(span.attributes) == values.MOST
    assert {len(text) for text in span.attributes.values() if isinstance(text, str)} == {values.LONGEST + 1}
    assert json.dumps(span.attributes["deep"]).count("[") < 10
    assert len(span.name) == 1024


def test_logs_have_level_text_and_trace() -> None:
    line = {
        "timeUnixNano": "0", "observedTimeUnixNano": "1800000000000000000", "severityNumber": 17,
        "traceId": TRACE, "spanId": SPAN,
        "body": {"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}},
    }  # fmt: skip
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [line, {"severityNumber": 99}]}]}]}).encode()
    (first, second), _ = otlp.read(LOGS, body, is_json=True)
    assert isinstance(first, Log)
    assert isinstance(second, Log)
    assert (first.at, first.severity, first.message, first.trace.hex()) == (
        1_800_000_000_000_000,
        17,
        '{"a": true}',
        TRACE,
    )
    assert (first.resource.service, second.severity, second.message, second.trace) == ("unknown", 0, "", b"")


def _exponential(values: list[float], scale: int) -> bytes:
    """Count values as an exporter would, and read what is kept of them."""
    message = ExportMetricsServiceRequest()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name="d", unit="s")
    metric.exponential_histogram.aggregation_temporality = 2
    above = sorted(math.ceil(math.log2(value) * 2**scale) - 1 for value in values if value > 0)
    told = metric.exponential_histogram.data_points.add(
        count=len(values), sum=sum(values), scale=scale, zero_count=len(values) - len(above), time_unix_nano=5000
    )
    if above:
        told.positive.offset = above[0]
        told.positive.bucket_counts.extend(above.count(number) for number in range(above[0], above[-1] + 1))
    (point,), _ = otlp.read(METRICS, message.SerializeToString(), is_json=False)
    assert isinstance(point, Point)
    assert (point.kind, point.cumulative, point.value) == ("histogram", True, float(len(values)))
    return msgspec.json.encode(point.histogram)


_values = st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e3)), max_size=40)


@given(_values, _values, st.integers(0, 5), st.integers(0, 5))
def test_what_came_between_two_exponential_histograms_has_its_quantiles(
    first: list[float], more: list[float], scale: int, later: int
) -> None:
    found = between(_exponential(first + more, min(scale, later)), _exponential(first, scale))
    assert sum(found.counts) == len(more)
    for share in (0.5, 0.99) if more else ():
        exact = sorted(more)[math.ceil(share * len(more)) - 1]
        step = 2 ** (1 / 2 ** min(scale, later)) * 1.000001
        quantile = found.quantile(share)
        assert quantile is not None
        assert exact / step <= quantile <= exact * step or (exact == 0.0 and quantile <= 0.0)


def test_what_came_between_two_histograms_of_the_same_bounds_is_their_difference() -> None:
    now, before = b"[9.0,[1.0,2.0],[3,4,1]]", b"[4.0,[1.0,2.0],[3,1,0]]"
    assert between(now, before) == (5.0, [1.0, 2.0], [0, 3, 1])
    assert between(now, b"[4.0,[1.0],[3,1]]") == (9.0, [1.0, 2.0], [3, 4, 1])
    assert between(now, b"[1.0,3,0,0,[1]]") == (9.0, [1.0, 2.0], [3, 4, 1])
    assert between(now, before).mean == 1.25
    assert between(now, now).quantile(0.5) is None


@pytest.mark.parametrize(
    ("encoding", "pack"), [("", bytes), ("identity", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_compression_is_undone(encoding: str, pack) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert unfolded(pack(b"told " * 100), encoding) == b"told " * 100


def test_what_unfolds_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "UNFOLDED", 1000)
    with pytest.raises(Malformed, match="more than"):
        unfolded(gzip.compress(b"0" * 1001), "gzip")
    with pytest.raises(Malformed, match="cut short"):
        unfolded(gzip.compress(b"0" * 100)[:-5], "gzip")
    with pytest.raises(Malformed, match="no gzip"):
        unfolded(b"plain", "gzip")
    with pytest.raises(Refused) as refused:
        unfolded(b"", "br")
    assert refused.value.status == 415
