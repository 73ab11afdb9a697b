"""Telemetry of OpenTelemetry's own exporters is taken by the process of the dashboard, over HTTP and gRPC."""

import asyncio
import io
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec
import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind

from shoal.dashboard.store import runs
from shoal.dashboard.store.reading import Database, LogQuery, MetricQuery, TraceQuery, database, logs, metric, traces
from shoal.dashboard.store.reading import trace as read_trace
from shoal.local import dashboard
from shoal.local.ports import free_port
from shoal.local.probe import ready, until


class Viewer(NamedTuple):
    """A dashboard that runs by itself."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    http: int
    otlp: int
    grpc: int

    def open(self) -> Database:
        return database(runs.find(self.folder))


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viewer]:
    folder = tmp_path_factory.mktemp("viewer")
    http, otlp, grpc = free_port(), free_port(), free_port()
    dashboard.token(folder / "token")
    settings = dashboard.Settings(
        folder=str(folder),
        port=http,
        key="one",
        token=str(folder / "token"),
        root=str(folder),
        ports=(otlp,),
        grpc=grpc,
    )
    (folder / "settings.json").write_bytes(msgspec.json.encode(settings))
    command = [sys.executable, "-m", "shoal.dashboard", str(folder / "settings.json")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        asyncio.run(asyncio.wait_for(ready(http, "/health"), 30))
        yield Viewer(process, folder, http, otlp, grpc)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert [run.live for run in runs.runs(folder).items] == [False]


def _soon(check: Callable[[], object]) -> None:
    """Wait until something that was sent is there."""

    async def found() -> object:
        return check() or None

    asyncio.run(asyncio.wait_for(until(found), 20))


@pytest.mark.parametrize("way", ["http", "http gzip", "grpc", "grpc gzip"])
def test_spans_arrive_by_every_way(viewer: Viewer, way: str) -> None:
    from grpc import Compression as GrpcCompression  # noqa: PLC0415

    place, packed = f"http://127.0.0.1:{viewer.otlp}/v1/traces", way.endswith("gzip")
    exporter: SpanExporter
    if way.startswith("grpc"):
        how = GrpcCompression.Gzip if packed else GrpcCompression.NoCompression
        exporter = GrpcSpans(f"127.0.0.1:{viewer.grpc}", insecure=True, compression=how)
    else:
        exporter = OTLPSpanExporter(place, compression=Compression.Gzip if packed else Compression.NoCompression)
    resource = Resource.create({"service.name": f"by {way}", "service.instance.id": "one"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span(
        "GET /outer", kind=SpanKind.SERVER, attributes={"n": 1, "list": ["a", "b"]}
    ) as outer:
        try:
            with tracer.start_as_current_span("inner", kind=SpanKind.CLIENT):
                raise ValueError("broken")  # noqa: TRY301
        except ValueError:
            pass
    provider.shutdown()
    identifier = f"{outer.get_span_context().trace_id:032x}"
    with viewer.open() as found:
        _soon(lambda: (one := read_trace(found, identifier)) and one.total == 2)
        whole = read_trace(found, identifier)
        assert whole is not None
        first, second = whole.spans
        assert (first.service, first.replica, first.name, first.kind) == (f"by {way}", "one", "GET /outer", "server")
        assert first.attributes == {"n": 1, "list": ["a", "b"]}
        assert (second.name, second.parent_id, second.status) == ("inner", first.span_id, "error")
        assert second.events[0].attributes["exception.message"] == "broken"
        assert len(traces(found, TraceQuery(service=f"by {way}", errors=True)).items) == 1


def test_logs_and_metrics_arrive(viewer: Viewer) -> None:
    resource = Resource.create({"service.name": "measured", "service.instance.id": "m-0"})
    logger_provider = LoggerProvider(resource=resource)
    logger_provider.add_log_record_processor(
        SimpleLogRecordProcessor(OTLPLogExporter(f"http://127.0.0.1:{viewer.http}/v1/logs"))
    )
    logger_provider.get_logger("tests").emit(
        severity_number=SeverityNumber.WARN, body="it is late", attributes={"minutes": 5}, timestamp=time.time_ns()
    )
    logger_provider.shutdown()
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(f"http://127.0.0.1:{viewer.http}/v1/metrics"), export_interval_millis=60_000
    )
    meter_provider = MeterProvider(resource=resource, metric_readers=[reader])
    meter = meter_provider.get_meter("tests")
    counter, histogram = meter.create_counter("sold", unit="{piece}"), meter.create_histogram("weight", unit="kg")
    for n in range(2):
        counter.add(5, {"kind": "cup"})
        for value in (1.0, 3.0, 30.0 * n):
            histogram.record(value)
        meter_provider.force_flush()
    meter_provider.shutdown()
    with viewer.open() as found:
        _soon(
            lambda: metric(found, MetricQuery(name="weight")).series and logs(found, LogQuery(services=["m-0"])).items
        )
        (line,) = logs(found, LogQuery(services=["measured"], level="warning", text="late")).items
        assert (line.level, line.message, line.replica) == ("warning", "it is late", "m-0")
        assert json.loads(bytes(line.attributes))["minutes"] == 5
        (sold,) = metric(found, MetricQuery(name="sold", service="measured", attributes={"kind": "cup"})).series
        assert (sold.total, sold.attributes) == (10.0, {"kind": "cup"})
        (weight,) = metric(found, MetricQuery(name="weight")).series
        assert weight.total == 6
        assert weight.quantiles["p50"][0] is not None
        assert metric(found, MetricQuery(name="sold", attributes={"kind": "plate"})).series == []


async def _post(place: str, body: bytes, kind: str, **more: str) -> int:
    async with (
        aiohttp.ClientSession() as client,
        client.post(place, data=io.BytesIO(body), headers={"content-type": kind, **more}) as answer,
    ):
        return answer.status


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("/v1/traces", "application/x-protobuf", b"\xff\xff\xff", 400),
        ("/v1/traces", "application/json", b'{"resourceSpans": 5}', 400),
        ("/v1/traces", "application/json", b"[" * 100_000, 400),
        ("/v1/traces", "text/plain", b"", 415),
        ("/v1/nothing", "application/json", b"{}", 404),
        ("/v1/traces", "application/json", b"{}", 200),
        ("/v1/logs", "application/x-protobuf", b"", 200),
        ("/v1/metrics", "application/x-protobuf", b"x" * (16 * 1024 * 1024 + 1), 413),
    ],
)
def test_what_is_malformed_is_refused_and_harms_nothing(
    viewer: Viewer, path: str, kind: str, body: bytes, status: int
) -> None:
    place = f"http://127.0.0.1:{viewer.otlp}{path}"
    assert asyncio.run(_post(place, body, kind)) == status
    asyncio.run(ready(viewer.http, "/health"))


def test_a_page_in_a_browser_may_not_send(viewer: Viewer) -> None:
    place = f"http://127.0.0.1:{viewer.http}/v1/traces"
    assert asyncio.run(_post(place, b"{}", "application/json", origin="http://evil.example")) == 403
    assert asyncio.run(_post(place, b"{}", "application/json")) == 200


def test_pages_need_the_token_and_telemetry_does_not(viewer: Viewer) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{viewer.http}/api/runs", timeout=20)
    with refused.value as answer:
        assert answer.code == 401
    link = dashboard.link(f"http://127.0.0.1:{viewer.http}", (viewer.folder / "token").read_text().strip(), "runs")
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(link, timeout=20) as page:
        assert page.status == 200
    with opener.open(f"http://127.0.0.1:{viewer.http}/api/runs", timeout=20) as answer:
        assert [one["live"] for one in json.loads(answer.read())["items"]] == [True]
