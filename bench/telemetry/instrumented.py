"""FastAPI with OpenTelemetry's own instrumentation and SDK, as their documentation advises; one span for a request."""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def instrument(app: FastAPI, sink: int) -> Callable[[], Awaitable[None]]:
    """Record spans and metrics of an application; return what sends everything that waits."""
    url, resource = f"http://127.0.0.1:{sink}/v1", Resource({"service.name": "baskets"})
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url}/traces"), max_queue_size=8192))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{url}/metrics"), export_interval_millis=5000)
    metering = MeterProvider(metric_readers=[reader], resource=resource)
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=tracing, meter_provider=metering, exclude_spans=["receive", "send"]
    )

    async def flush() -> None:
        await asyncio.to_thread(tracing.force_flush)
        await asyncio.to_thread(metering.force_flush)

    return flush
