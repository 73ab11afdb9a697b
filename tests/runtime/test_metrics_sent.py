"""What a service measures reaches a receiver of OpenTelemetry, again and again and once at the end."""

import asyncio
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from shoal import Postgres, Service, System, Transaction, anyone
from shoal.runtime.metrics.process import watching
from shoal.runtime.telling import Telemetry
from tests.runtime.world import running
from tests.telemetry.received import Receiver, pairs, receiving

hut = Service("hut", store=Postgres())


@hut.get("/tea", access=anyone)
async def tea(tx: Transaction) -> str:
    """Serve tea."""
    return "tea"


def latest(receiver: Receiver) -> dict[str, Metric]:
    body = next((body for path, _, body in reversed(receiver.requests) if path == "/v1/metrics"), b"")
    found: dict[str, Metric] = {}
    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        assert pairs(resource.resource.attributes)["service.name"] == "hut"
        found |= {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}
    return found


def answered(receiver: Receiver) -> int:
    found = latest(receiver).get("http.server.request.duration")
    return sum(point.count for point in found.exponential_histogram.data_points) if found else 0


async def test_metrics_are_sent_while_a_service_runs_and_when_it_ends(tmp_path: Path) -> None:
    with receiving() as receiver:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_METRIC_EXPORT_INTERVAL": "50"}
        telemetry = Telemetry(environ)
        async with telemetry, running(System("park", services=[hut]), tmp_path) as world:
            host = world.hosts["hut"]
            recorder = telemetry.recorder("hut", host.config)
            async with watching(host.metrics), telemetry.sending([(host.vitals, recorder)]):
                await world.get("/tea")
                while answered(receiver) < 1:
                    await asyncio.to_thread(receiver.wait, len(receiver.requests) + 1)
                await world.get("/tea")
        assert answered(receiver) == 2
        found = latest(receiver)
    (point,) = found["http.server.request.duration"].exponential_histogram.data_points
    said = pairs(point.attributes)
    assert (said["http.route"], said["http.response.status_code"], said["shoal.operation"]) == ("/tea", 200, "hut.tea")
    assert found["shoal.store.up"].gauge.data_points[0].as_double == 1.0
    assert found["process.memory.usage"].sum.data_points[0].as_int > 10_000_000
    assert {p.attributes[0].value.string_value for p in found["process.cpu.time"].sum.data_points} == {"user", "system"}
    assert found["process.cpu.time"].sum.is_monotonic
    assert not found["process.unix.file_descriptor.count"].sum.is_monotonic
    assert len(found["cpython.gc.collections"].sum.data_points) == 3


async def test_what_cannot_be_read_at_one_moment_is_read_at_the_next(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    left = [OSError(24, "Too many open files"), OSError(24, "Too many open files")]

    def files() -> float:
        if left:
            raise left.pop()
        return 7.0

    with receiving() as receiver:
        telemetry = Telemetry({"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_METRIC_EXPORT_INTERVAL": "20"})
        async with telemetry, running(System("park", services=[hut]), tmp_path) as world:
            host = world.hosts["hut"]
            host.metrics.watch("process.unix.file_descriptor.count", files)
            async with telemetry.sending([(host.vitals, telemetry.recorder("hut", host.config))]):
                await asyncio.to_thread(receiver.wait, 1)
                assert "process.unix.file_descriptor.count" in latest(receiver)
    assert [r.getMessage() for r in caplog.records if "metrics" in r.getMessage()] == [
        "metrics cannot be read, and are tried again"
    ]


async def test_nothing_is_measured_for_nobody(tmp_path: Path) -> None:
    telemetry = Telemetry({})
    async with running(System("park", services=[hut]), tmp_path) as world:
        host = world.hosts["hut"]
        async with telemetry, telemetry.sending([(host.vitals, None)]):
            assert telemetry.exporter is None
