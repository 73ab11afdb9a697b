"""A collector that is made with the official server of gRPC and the official messages."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import DebugInfo, RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_messages
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_service
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_messages
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_service

from tests.telemetry.received import Line, Seen, lines_of, spans_of

Refusal = tuple[grpc.StatusCode, str, bytes]
"""A status, what it says, and its details."""


class Collector:
    """What was sent; `answers` are the refusals of the next calls, it takes the others."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.metadata: list[dict[str, str | bytes]] = []
        self.answers: list[Refusal] = []
        self.came = threading.Condition()
        self.port = 0

    def take(self, request: Any, context: grpc.ServicerContext) -> None:
        with self.came:
            refusal = self.answers.pop(0) if self.answers else None
            self.metadata.append(dict(context.invocation_metadata()))
            if refusal is None:
                self.requests.append(request)
            self.came.notify_all()
        if refusal is not None:
            code, said, details = refusal
            if details:
                context.set_trailing_metadata((("grpc-status-details-bin", details),))
            context.abort(code, said)

    def spans(self) -> list[Seen]:
        found = [r for r in self.requests if isinstance(r, trace_messages.ExportTraceServiceRequest)]
        return [span for request in found for span in spans_of(request.SerializeToString())]

    def lines(self) -> list[Line]:
        found = [r for r in self.requests if isinstance(r, logs_messages.ExportLogsServiceRequest)]
        return [line for request in found for line in lines_of(request.SerializeToString())]

    def wait(self, reached: Callable[[], bool], seconds: float = 10.0) -> None:
        with self.came:
            assert self.came.wait_for(reached, seconds), self.metadata


def details(*messages: Any) -> bytes:
    """Pack what a status says besides."""
    packed = []
    for message in messages:
        one = Packed()
        one.Pack(message)
        packed.append(one)
    found: bytes = Status(code=8, message="too much", details=packed).SerializeToString()
    return found


def retry_in(seconds: float) -> bytes:
    """Say when to come again, after something else."""
    pause = Duration()
    pause.FromNanoseconds(round(seconds * 1e9))
    return details(DebugInfo(detail="a queue is full"), RetryInfo(retry_delay=pause))


@contextmanager
def collecting(
    *, port: int = 0, tls: tuple[bytes, bytes] | None = None, options: Sequence[tuple[str, int]] = ()
) -> Iterator[Collector]:
    """Serve for the time of the block; `tls` are a key and its certificate."""
    collector = Collector()

    class Traces(trace_service.TraceServiceServicer):
        def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the service names it
            collector.take(request, context)
            return trace_messages.ExportTraceServiceResponse()

    class Logs(logs_service.LogsServiceServicer):
        def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the service names it
            collector.take(request, context)
            return logs_messages.ExportLogsServiceResponse()

    class Metrics(metrics_service.MetricsServiceServicer):
        def Export(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the service names it
            collector.take(request, context)
            return metrics_messages.ExportMetricsServiceResponse()

    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0), *options])
    trace_service.add_TraceServiceServicer_to_server(Traces(), server)  # type: ignore[no-untyped-call]
    logs_service.add_LogsServiceServicer_to_server(Logs(), server)  # type: ignore[no-untyped-call]
    metrics_service.add_MetricsServiceServicer_to_server(Metrics(), server)  # type: ignore[no-untyped-call]
    place = f"127.0.0.1:{port}"
    if tls is None:
        collector.port = server.add_insecure_port(place)
    else:
        collector.port = server.add_secure_port(place, grpc.ssl_server_credentials([tls]))
    server.start()
    try:
        yield collector
    finally:
        server.stop(None).wait()
