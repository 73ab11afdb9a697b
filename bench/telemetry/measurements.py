"""What one measured duration costs where it arises, and its histogram to encode: ours, and the official SDK's."""

import random
import sys
import time
from collections.abc import Callable
from statistics import median

import msgspec
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View

from bench.report import Table
from shoal.runtime.metrics.registry import Metrics
from shoal.runtime.trace import Trace, resume
from shoal.telemetry.metrics import Span, encode
from shoal.telemetry.resource import encode as encode_resource

DURATIONS, TIMES, EXPORTS = 20_000, 9, 50
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NAME = "http.server.request.duration"
SHARED = {"http.request.method": "POST", "http.route": "/baskets/{basket}/quote", "url.scheme": "http"}


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of processor time."""

    measured: float
    encoded: float
    """Of one histogram with all its buckets."""


def durations() -> list[float]:
    """Draw what requests take: some milliseconds mostly, some a hundred times more."""
    chance = random.Random(4)  # noqa: S311 - the same for both
    return [chance.lognormvariate(-5.0, 1.2) for _ in range(DURATIONS)]


def turns(work: Callable[[], None], count: int) -> float:
    """Take the median of some turns."""
    found = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) / count * 1e6)
    return median(found)


def ours(trace: Trace | None) -> Costs:
    """Measure as an endpoint does; with a trace it becomes the exemplar of its bucket."""
    metrics, values = Metrics(), durations()
    series = metrics.requests("baskets.quote", tuple(SHARED.items()))
    resource = encode_resource({"service.name": "baskets"})

    def measure() -> None:
        for value in values:
            series.observe("200", value, trace)

    def send() -> None:
        for _ in range(EXPORTS):
            families = [family for family in metrics.snapshot() if family.metric.name == NAME]
            encode(families, resource, Span(since=0, now=time.time_ns()))

    return Costs(measured=turns(measure, DURATIONS), encoded=turns(send, EXPORTS))


def theirs() -> Costs:
    """Measure the same with the SDK."""
    reader, values = InMemoryMetricReader(), durations()
    view = View(instrument_name=NAME, aggregation=ExponentialBucketHistogramAggregation())
    histogram = MeterProvider([reader], views=[view]).get_meter("bench").create_histogram(NAME, "s")

    def measure() -> None:
        for value in values:
            histogram.record(value, {**SHARED, "http.response.status_code": 200})

    def send() -> None:
        for _ in range(EXPORTS):
            data = reader.get_metrics_data()
            assert data is not None
            encode_metrics(data).SerializeToString()

    return Costs(measured=turns(measure, DURATIONS), encoded=turns(send, EXPORTS))


def table() -> Table:
    """Show them."""
    rows = (
        ("Shoal", ours(None)),
        ("Shoal, with an exemplar", ours(resume(PARENT))),
        ("OpenTelemetry's SDK, without", theirs()),
    )
    return Table(
        columns=("one measured duration", "µs where it arises", "µs to encode its histogram"),
        rows=tuple((name, f"{costs.measured:.2f}", f"{costs.encoded:.0f}") for name, costs in rows),
    )


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n")
