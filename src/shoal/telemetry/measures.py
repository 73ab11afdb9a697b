"""What a metric is, and what was measured of it at one moment: pure data, whoever shows or sends it."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from shoal.telemetry.histogram import Histogram

Kind = Literal["counter", "level", "gauge", "histogram"]
"""A counter only grows; levels of several processes can be added up (an OpenTelemetry UpDownCounter), gauges cannot."""

Attributes = tuple[tuple[str, str | int], ...]
"""Keys and values, as OpenTelemetry spells them, such as ``(("http.route", "/orders"),)``."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric, by its OpenTelemetry name."""

    name: str
    """Such as ``http.server.request.duration``."""
    kind: Kind
    unit: str = ""
    """In UCUM, as OpenTelemetry asks: ``s``, ``By``, ``{request}``; empty without one."""
    labels: tuple[str, ...] = ()
    """Keys of the attributes that its points may have."""
    summary: str
    """One sentence for who reads it."""

    @property
    def monotonic(self) -> bool:
        """Whether it only grows."""
        return self.kind == "counter"


class Point(NamedTuple):
    """One measured value, or distribution of values, of one set of attributes."""

    attributes: Attributes
    value: float | Histogram


class Family(NamedTuple):
    """Everything that was measured of one metric."""

    metric: Metric
    points: Sequence[Point]
