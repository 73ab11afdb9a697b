"""Write what was measured as an ``ExportMetricsServiceRequest`` (OTLP 1.x), and hand the latest to the exporter.

Source of the numbers of fields: ``opentelemetry/proto/metrics/v1/metrics.proto``.
"""

from collections.abc import Iterable
from struct import Struct
from threading import Lock
from typing import NamedTuple

from shoal.telemetry.exporter import Parcel
from shoal.telemetry.histogram import Exemplar, Histogram
from shoal.telemetry.measures import Family, Metric, Point
from shoal.telemetry.resource import OURS
from shoal.telemetry.wire import attributes, block, double, fixed64, request, tag, text, varint

_CUMULATIVE = tag(2, 0) + varint(2)
_MONOTONIC = tag(3, 0) + varint(1)
_GAUGE, _SUM, _EXPONENTIAL = 5, 7, 10
_signed64 = Struct("<q").pack


class Span(NamedTuple):
    """For which time something was measured, in nanoseconds since 1970."""

    since: int
    """When counting began."""
    now: int
    before: int = 0
    """When it was told last; later exemplars are told."""


def encode(families: Iterable[Family], resource: bytes, when: Span) -> bytes:
    """Write a request; `resource` is the field that `shoal.telemetry.resource.encode` makes."""
    return request(resource, 2, {OURS: [block(2, _metric(family, when)) for family in families]})


class Latest:
    """The latest request, until it is taken: a `Source` of the exporter.

    Sums are cumulative, so what the receiver did not take is in the next one as well, and nothing has to wait.

    Args:
        pause: Seconds between two looks of the exporter.
    """

    def __init__(self, pause: float) -> None:
        self.signal, self.pause, self.dropped = "metrics", pause, 0
        self._waiting: Parcel | None = None
        self._lock = Lock()

    def put(self, body: bytes, count: int) -> None:
        """Let this be sent in place of what waits."""
        with self._lock:
            self._waiting = Parcel(body, count)

    def take(self) -> Parcel | None:
        """Give it away; None when it was taken already."""
        with self._lock:
            found, self._waiting = self._waiting, None
        return found


def _metric(family: Family, when: Span) -> bytes:
    metric = family.metric
    head = text(1, metric.name) + text(2, metric.summary) + text(3, metric.unit)
    points = b"".join([block(1, _point(point, when)) for point in family.points])
    return head + _data(metric, points)


def _data(metric: Metric, points: bytes) -> bytes:
    if metric.kind == "gauge":
        return block(_GAUGE, points)
    if metric.kind == "histogram":
        return block(_EXPONENTIAL, points + _CUMULATIVE)
    return block(_SUM, points + _CUMULATIVE + (_MONOTONIC if metric.monotonic else b""))


def _point(point: Point, when: Span) -> bytes:
    times = tag(2, 1) + fixed64(when.since) + tag(3, 1) + fixed64(when.now)
    if isinstance(point.value, Histogram):
        return attributes(tag(1), dict(point.attributes)) + times + _distribution(point.value, when.before)
    number = point.value
    value = tag(6, 1) + _signed64(number) if isinstance(number, int) else tag(4, 1) + double(number)
    return attributes(tag(7), dict(point.attributes)) + times + value


def _distribution(found: Histogram, before: int) -> bytes:
    first, counts = found.dense()
    packed = b"".join(map(varint, counts))
    buckets = tag(1, 0) + varint(_zigzag(first)) + block(2, packed)
    told = [block(11, _exemplar(each)) for each in found.exemplars.values() if each.at * 1e9 >= before]
    parts = [
        tag(4, 1) + fixed64(found.count) + tag(5, 1) + double(found.sum),
        tag(6, 0) + varint(_zigzag(found.scale)) + tag(7, 1) + fixed64(found.zeros),
        block(8, buckets) if counts else b"",
        *told,
        tag(12, 1) + double(found.least) + tag(13, 1) + double(found.largest) if found.count else b"",
    ]
    return b"".join(parts)


def _exemplar(each: Exemplar) -> bytes:
    written = tag(2, 1) + fixed64(int(each.at * 1e9)) + tag(3, 1) + double(each.value)
    span = block(4, bytes.fromhex(each.span_id)) if each.span_id else b""
    return written + span + block(5, bytes.fromhex(each.trace_id))


def _zigzag(number: int) -> int:
    """Write a signed number of 32 bits so that small ones are short (``sint32``)."""
    return (number << 1) ^ (number >> 31)
