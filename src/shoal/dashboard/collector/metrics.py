"""Values of metrics: gauges, sums, histograms; a summary is a histogram without bounds.

Source: ``opentelemetry/proto/metrics/v1/metrics.proto``.
"""

import functools
import heapq
import json
import math
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from shoal.dashboard.collector.values import attributes
from shoal.dashboard.store.records import Buckets, Exponential, Point, Resource

_CUMULATIVE = 2
_NAME = 255
_FINEST, _STEEPEST = 5, 10
"""Scales of exponential histograms that are kept: 2 ** 5 buckets to a doubling, and a bucket for 2 ** 10 doublings."""

_BUCKETS = 2048
"""Buckets of one histogram; what has more is left out."""

_EXEMPLARS = 4
"""Exemplars that are kept of one point: those of slow requests are looked for."""

_TRACE = 16
"""Bytes of a trace's identifier."""


def points(who: Resource, metric: Any) -> Iterator[Point]:
    """Read the points of one metric; one whose sort is unknown has none."""
    sort = metric.WhichOneof("data")
    if sort is None:
        return
    data = getattr(metric, sort)
    cumulative = getattr(data, "aggregation_temporality", _CUMULATIVE) == _CUMULATIVE
    kind = {"gauge": "gauge", "sum": "sum"}.get(sort, "histogram")
    if sort == "sum" and not data.is_monotonic:
        kind = "gauge" if cumulative else "sum"
    for told in data.data_points:
        found = _value(sort, told)
        if found is not None:
            value, histogram = found
            labels = _labels(tuple(pair.SerializeToString() for pair in told.attributes))
            at = min(told.time_unix_nano // 1000, 1 << 62)
            named = who, metric.name[:_NAME], metric.unit[:_NAME]
            yield Point(*named, kind, cumulative, labels, at, value, histogram, tuple(_exemplars(sort, told)))


def _exemplars(sort: str, told: Any) -> list[tuple[int, float, bytes]]:
    """Read the largest exemplars of a histogram that name their traces."""
    found = []
    for each in told.exemplars if sort in ("histogram", "exponential_histogram") else ():
        which = each.WhichOneof("value")
        value = float(getattr(each, which)) if which else math.nan
        if len(each.trace_id) == _TRACE and math.isfinite(value):
            found.append((min(each.time_unix_nano // 1000, 1 << 62), value, bytes(each.trace_id)))
    return heapq.nlargest(_EXEMPLARS, found, key=itemgetter(1))


def _value(sort: str, told: Any) -> tuple[float, Buckets | Exponential | None] | None:
    if sort in ("gauge", "sum"):
        which = told.WhichOneof("value")
        value = float(getattr(told, which)) if which else math.nan
        return (value, None) if math.isfinite(value) else None
    if sort == "histogram":
        bounds, counts = list(told.explicit_bounds), list(told.bucket_counts)
        if len(bounds) > _BUCKETS or (counts and len(counts) != len(bounds) + 1):
            return None
        return float(told.count), (told.sum, bounds, counts)
    if sort == "exponential_histogram":
        return (float(told.count), _exponential(told)) if len(told.positive.bucket_counts) <= _BUCKETS else None
    return float(told.count), (told.sum, [], [told.count])


def _exponential(told: Any) -> Exponential:
    """Keep 32 buckets to each doubling at most; what is at or below zero is counted together."""
    counts = list(told.positive.bucket_counts)
    scale, first = max(-_STEEPEST, told.scale), told.positive.offset
    if scale > _FINEST:
        coarser: dict[int, int] = {}
        for number, count in enumerate(counts, first):
            if count:
                coarser[number >> (scale - _FINEST)] = coarser.get(number >> (scale - _FINEST), 0) + count
        scale, first = _FINEST, min(coarser, default=0)
        counts = [coarser.get(number, 0) for number in range(first, max(coarser, default=-1) + 1)]
    return Exponential(told.sum, scale, told.zero_count + sum(told.negative.bucket_counts), first, counts)


@functools.lru_cache(maxsize=4096)
def _labels(pairs: tuple[bytes, ...]) -> str:
    """Write the attributes of a point; the same ones come again and again."""
    return json.dumps(attributes(map(KeyValue.FromString, pairs)), ensure_ascii=False, sort_keys=True)
