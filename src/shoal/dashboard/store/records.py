"""What the collector hands to the store, whichever encoding it came in. Times are microseconds since 1970."""

from typing import Any, NamedTuple

Attributes = dict[str, Any]
"""What JSON can hold."""

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
"""Kinds of spans by their number in ``opentelemetry/proto/trace/v1/trace.proto``."""

OK, ERROR = 1, 2
"""Statuses of spans by their number there; 0 is that nobody said."""


class Resource(NamedTuple):
    """Who tells."""

    service: str
    replica: str
    attributes: str
    """JSON object of everything that is known of it."""


class Span(NamedTuple):
    """Something that began and ended."""

    resource: Resource
    trace: bytes
    span: int
    """Identifier as a signed number of 64 bits, which is what SQLite keeps best."""
    parent: int
    """0 for none."""
    name: str
    kind: int
    started: int
    took: int
    status: int
    message: str
    attributes: Attributes
    events: list[tuple[str, int, Attributes]]
    links: list[tuple[str, str]]
    """Trace and span, in hexadecimal digits."""


class Log(NamedTuple):
    """A line that somebody wrote."""

    resource: Resource
    at: int
    severity: int
    """1 to 24, as in ``logs.proto``; 0 is that nobody said."""
    message: str
    trace: bytes
    span: int
    attributes: Attributes


Buckets = tuple[float, list[float], list[int]]
"""Sum, upper bounds, and counts, one more than bounds."""


class Exponential(NamedTuple):
    """A histogram whose bucket `n` ends at ``2 ** ((n + 1) / 2 ** scale)``."""

    sum: float
    scale: int
    zero: int
    """Values that are not above zero."""
    offset: int
    """Number of the first bucket."""
    counts: list[int]


class Point(NamedTuple):
    """A value of a metric at a time."""

    resource: Resource
    name: str
    unit: str
    kind: str
    """``gauge``, ``sum`` or ``histogram``."""
    cumulative: bool
    """Whether a value counts from the start of its process, or from the point before."""
    attributes: str
    """JSON object with sorted keys: a series has its own."""
    at: int
    value: float
    """Of a histogram, its count."""
    histogram: "Buckets | Exponential | None" = None
    exemplars: tuple[tuple[int, float, bytes], ...] = ()
    """Times, values and traces of some of the measurements."""


class Told(NamedTuple):
    """A notice as it stands now, in place of what was told of it before."""

    id: str
    since: float
    """Milliseconds since 1970."""
    notice: bytes
    """JSON."""


Record = Span | Log | Point | Told


def unsigned(number: int) -> str:
    """Write an identifier of a span in hexadecimal digits; nothing for none."""
    return f"{number & 0xFFFFFFFFFFFFFFFF:016x}" if number else ""


def signed(identifier: bytes) -> int:
    """Read an identifier of eight bytes; 0 for none."""
    return int.from_bytes(identifier, "big", signed=True) if identifier else 0
