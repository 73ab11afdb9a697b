"""Metrics as text: the Prometheus text format (version 0.0.4) and OpenMetrics 1.0, which has exemplars.

Names follow OpenTelemetry's "Prometheus and OpenMetrics Compatibility": dots become underscores, the unit and, of
counters, ``total`` are added.
"""

import re
from collections.abc import Iterable, Sequence
from math import inf

from shoal.telemetry.histogram import Exemplar, Histogram
from shoal.telemetry.measures import Attributes, Family, Metric, Point

PLAIN = b"text/plain; version=0.0.4; charset=utf-8"
OPEN = b"application/openmetrics-text; version=1.0.0; charset=utf-8"

BOUNDS = tuple(2.0**power for power in range(-11, 6))
"""Upper bounds shown, in seconds: 0.0005 to 32. At any scale buckets end at powers of two, so counts are exact."""

_UNITS = {"s": "seconds", "By": "bytes"}
_ODD = re.compile(r"[^a-zA-Z0-9_]+")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def is_open(accept: bytes) -> bool:
    """Tell whether who asks can read OpenMetrics, by the ``Accept`` header."""
    return b"application/openmetrics-text" in accept


def render(families: Iterable[Family], *, exemplars: bool = False) -> bytes:
    """Write everything; with `exemplars` in OpenMetrics, else in the format that everybody reads."""
    lines = [line for family in families for line in _family(family, exemplars)]
    return "\n".join((*lines, *(("# EOF",) if exemplars else ()), "")).encode()


def prometheus_name(metric: Metric) -> str:
    """Name a metric as Prometheus does: ``process.cpu.time`` in seconds is ``process_cpu_time_seconds_total``."""
    return f"{_base(metric)}_total" if metric.kind == "counter" else _base(metric)


def prometheus_label(key: str) -> str:
    """Name an attribute as Prometheus does."""
    return _ODD.sub("_", key)


def _base(metric: Metric) -> str:
    name, unit = _ODD.sub("_", metric.name), _UNITS.get(metric.unit, "")
    return name if not unit or name.endswith(f"_{unit}") else f"{name}_{unit}"


def _family(family: Family, opened: bool) -> Iterable[str]:  # noqa: FBT001 - one switch, inside this file
    metric, name = family.metric, prometheus_name(family.metric)
    titled = _base(metric) if opened else name
    kind = {"counter": "counter", "histogram": "histogram"}.get(metric.kind, "gauge")
    yield f"# HELP {titled} {metric.summary}"
    yield f"# TYPE {titled} {kind}"
    if opened and metric.unit in _UNITS:
        yield f"# UNIT {titled} {_UNITS[metric.unit]}"
    for point in family.points:
        if isinstance(point.value, Histogram):
            yield from _distribution(name, point, point.value, opened)
        else:
            yield f"{name}{_labels(point.attributes)} {_number(point.value)}"


def _distribution(name: str, point: Point, found: Histogram, opened: bool) -> Iterable[str]:  # noqa: FBT001 - as above
    counts = found.below(BOUNDS)
    told = _latest(found) if opened else ["" for _ in (*BOUNDS, inf)]
    for bound, count, exemplar in zip((*BOUNDS, inf), (*counts, found.count), told, strict=True):
        le = "+Inf" if bound == inf else repr(bound)
        yield f"{name}_bucket{_labels((*point.attributes, ('le', le)))} {count}{exemplar}"
    yield f"{name}_sum{_labels(point.attributes)} {_number(found.sum)}"
    yield f"{name}_count{_labels(point.attributes)} {found.count}"


def _latest(found: Histogram) -> Sequence[str]:
    """Write the latest exemplar of each bucket that is shown."""
    latest: list[Exemplar | None] = [None for _ in (*BOUNDS, inf)]
    for each in found.exemplars.values():
        at = next((place for place, bound in enumerate(BOUNDS) if each.value <= bound), len(BOUNDS))
        before = latest[at]
        if before is None or before.at < each.at:
            latest[at] = each
    return ["" if each is None else _exemplar(each) for each in latest]


def _exemplar(each: Exemplar) -> str:
    labels = _labels((("trace_id", each.trace_id), *((("span_id", each.span_id),) if each.span_id else ())))
    return f" # {labels} {each.value!r} {each.at:.3f}"


def _labels(attributes: Attributes) -> str:
    if not attributes:
        return ""
    return "{" + ",".join(f'{prometheus_label(k)}="{str(v).translate(_ESCAPES)}"' for k, v in attributes) + "}"


def _number(value: float) -> str:
    return repr(value)
