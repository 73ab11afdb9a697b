"""OTLP over gRPC: the same three messages, as calls.

Source: ``opentelemetry/proto/collector/*/v1/*_service.proto``. ``UNAVAILABLE`` tells an exporter to come again,
``INVALID_ARGUMENT`` not to.
"""

from shoal.dashboard.collector.application import UNFOLDED, Collector, Refused
from shoal.dashboard.collector.otlp import LOGS, METRICS, TRACES, Malformed, Signal
from shoal.local import grpc

LARGEST = UNFOLDED
"""Bytes of a message."""

METHODS: dict[str, Signal] = {
    f"/opentelemetry.proto.collector.{package}.v1.{service}/Export": signal
    for package, service, signal in (
        ("trace", "TraceService", TRACES),
        ("logs", "LogsService", LOGS),
        ("metrics", "MetricsService", METRICS),
    )
}


def methods(collector: Collector) -> dict[str, grpc.Handler]:
    """Answer the calls of exporters."""
    return {path: _method(collector, signal) for path, signal in METHODS.items()}


def _method(collector: Collector, signal: Signal) -> grpc.Handler:
    async def export(message: bytes) -> bytes:
        try:
            return await collector.take(signal, message)
        except Malformed as error:
            raise grpc.Failed("invalid", str(error)) from error
        except Refused as error:
            raise grpc.Failed("unavailable", str(error)) from error

    return export
