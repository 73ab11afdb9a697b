"""What one span costs where it arises and where it is encoded: ours, and the official SDK's."""

import sys
import time
from collections.abc import Callable
from statistics import median

import msgspec
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from bench.report import Table
from shoal.runtime.recording import closed, opened, recording
from shoal.runtime.trace import resume
from shoal.telemetry.recorder import Recorder
from shoal.telemetry.settings import TelemetrySettings
from shoal.telemetry.spans import SERVER, fixed

SPANS, TIMES, BATCH = 5_000, 9, 512
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SHARED = {
    "http.request.method": "POST",
    "http.route": "/baskets/{basket}/quote",
    "shoal.operation": "baskets.quote",
    "code.file.path": "bench/handler/ours.py",
    "code.line.number": 45,
}


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of processor time for a span."""

    recorded: float
    encoded: float


def measured(record: Callable[[], None], encode: Callable[[], None]) -> Costs:
    """Take medians of some turns of `SPANS` spans each."""
    recorded, encoded = [], []
    for _ in range(TIMES):
        for work, found in ((record, recorded), (encode, encoded)):
            began = time.process_time()
            work()
            found.append((time.process_time() - began) / SPANS * 1e6)
    return Costs(recorded=median(recorded), encoded=median(encoded))


def ours() -> Costs:
    """Record a request as the runtime does."""
    settings = TelemetrySettings.from_environ(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_MAX_QUEUE_SIZE": str(SPANS)}
    )
    recorder, shared = Recorder(settings, {"service.name": "baskets"}), fixed(SHARED)
    recording.set(recorder)
    parent = resume(PARENT)

    def record() -> None:
        for _ in range(SPANS):
            _, span = opened(parent, SERVER)
            assert span is not None
            span.name, span.fixed = "POST /baskets/{basket}/quote", shared
            span.attributes = {"url.path": "/baskets/7/quote", "http.response.status_code": 200}
            closed(span)

    def encode() -> None:
        while recorder.spans.take() is not None:
            pass

    return measured(record, encode)


class _Kept(SpanProcessor):
    """Keeps what has ended, as the SDK's batches do."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def theirs() -> Costs:
    """Record the same with the SDK."""
    provider, kept = TracerProvider(), _Kept()
    provider.add_span_processor(kept)
    tracer = provider.get_tracer("bench")

    def record() -> None:
        for _ in range(SPANS):
            with tracer.start_as_current_span("POST /baskets/{basket}/quote", attributes=SHARED) as span:
                span.set_attribute("url.path", "/baskets/7/quote")
                span.set_attribute("http.response.status_code", 200)

    def encode() -> None:
        for first in range(0, len(kept.spans), BATCH):
            encode_spans(kept.spans[first : first + BATCH]).SerializeToString()
        kept.spans.clear()

    return measured(record, encode)


def table() -> Table:
    """Show both."""
    rows = (("Shoal's recorder", ours()), ("OpenTelemetry's SDK", theirs()))
    return Table(
        columns=("one span", "µs where it arises", "µs to encode"),
        rows=tuple((name, f"{costs.recorded:.1f}", f"{costs.encoded:.1f}") for name, costs in rows),
    )


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
