"""Values of metrics: gauges, sums, histograms. Exponential histograms and summaries become histograms of fixed bounds.

Source: ``opentelemetry/proto/metrics/v1/metrics.proto``.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

from shoal.dashboard.collector.values import attributes
from shoal.dashboard.store.records import Point, Resource

_CUMULATIVE = 2
_NAME = 255
_BUCKETS = 512
"""Bounds of one histogram; what has more is left out."""


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
            labels = json.dumps(attributes(told.attributes), ensure_ascii=False, sort_keys=True)
            at = min(told.time_unix_nano // 1000, 1 << 62)
            yield Point(who, metric.name[:_NAME], metric.unit[:_NAME], kind, cumulative, labels, at, value, histogram)


def _value(sort: str, told: Any) -> tuple[float, tuple[float, list[float], list[int]] | None] | None:
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
        return float(told.count), _exponential(told)
    return float(told.count), (told.sum, [], [told.count])


def _exponential(told: Any) -> tuple[float, list[float], list[int]]:
    """Give the buckets above zero their upper bounds; what is at or below zero has the first."""
    base = math.pow(2.0, math.pow(2.0, -max(-10, min(20, told.scale))))
    counts = list(told.positive.bucket_counts)[:_BUCKETS]
    first = told.positive.offset
    bounds = [told.zero_threshold, *(min(1e300, _power(base, first + number + 1)) for number in range(len(counts)))]
    below = told.zero_count + sum(told.negative.bucket_counts)
    return told.sum, bounds, [below, *counts, 0]


def _power(base: float, exponent: int) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf
