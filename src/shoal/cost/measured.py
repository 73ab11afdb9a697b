"""What a run did, and the usage that follows from it: honest about what a short run cannot know. Pure."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from shoal.cost.month import HOURS
from shoal.cost.usage import Usage, Work, around, exactly

_LEAST_REQUESTS, _LEAST_SECONDS = 100, 60
"""Fewer requests, or fewer seconds, say little."""

_MIB = 1024 * 1024


class Served(msgspec.Struct, kw_only=True):
    """What one service did in a run."""

    requests: int = 0
    """That reached it, by the door or by others' calls."""
    calls: int = 0
    """That it made to other services."""
    reads: int = 0
    """Statements and commands that read from its store."""
    writes: int = 0
    """Rows that statements wrote into its store, and commands that write."""
    object_reads: int = 0
    object_writes: int = 0
    engines: int = 0
    """Statements and commands to whatever engine."""
    log_bytes: int = 0
    cpu: float = 0.0
    """Seconds of a processor, of all replicas."""
    memory: float = 0.0
    """Bytes that one replica held at most."""


class Run(msgspec.Struct, kw_only=True):
    """What a run recorded."""

    number: int = 0
    seconds: float = 0.0
    """From the first to the last that was recorded."""
    door: dict[str, int] = {}
    """Requests by operation, ``"POST /orders"``."""
    answered: int = 0
    """Bytes of answers."""
    answers: int = 0
    """Of which so many requests were measured."""
    published: int = 0
    services: dict[str, Served] = {}

    @property
    def requests(self) -> int:
        """At the door."""
        return sum(self.door.values())


def usage(run: Run, *, requests: Decimal | None = None) -> Usage:
    """Say how a month is used when each request does what those of the run did.

    Args:
        run: What was measured; it has requests.
        requests: Of a month; when not said as many as the run had, hour by hour, or half, or twice as many.
    """
    total = Decimal(run.requests)
    hourly = total * HOURS * 3600 / Decimal(str(max(run.seconds, 1.0)))
    month = exactly(requests) if requests is not None else around(str(hourly.quantize(Decimal(1))))
    usual = Usage()
    return Usage(
        requests=month,
        endpoints={name: month * (Decimal(count) / total) for name, count in sorted(run.door.items())},
        events_per_request=_each(run.published, total),
        answer_bytes=_each(run.answered, Decimal(run.answers)) if run.answers else usual.answer_bytes,
        services={name: _work(served, total) for name, served in sorted(run.services.items())},
    )


def statement(run: Run, *, requests: Decimal | None = None) -> Iterator[str]:
    """Say what was measured, what became of it, and what was not measured."""
    yield (
        f"measured in run {run.number}: {run.requests:,} requests in {run.seconds:,.0f} s, {run.published:,} events, "
        f"{sum(one.cpu for one in run.services.values()):,.1f} s of processors"
    )
    if requests is None:
        yield "a month is the run's rate for 730 hours, low half of it, high twice: --requests says how many there are"
    if run.requests < _LEAST_REQUESTS or run.seconds < _LEAST_SECONDS:
        yield (
            f"a run of fewer than {_LEAST_REQUESTS} requests or {_LEAST_SECONDS} s says little: "
            "its share of starting is too large; try `shoal load` for a minute"
        )
    missing = [] if run.answers else ["bytes of answers"]
    if not any(one.cpu for one in run.services.values()):
        missing.append("processors and memory")
    told = ", ".join([*missing, "bytes to outside systems", "what stores and buckets hold", "sizes of calls"])
    yield f"assumed, for no run measures it: {told}"


def _work(served: Served, total: Decimal) -> Work:
    known = served.memory > 0
    return Work(
        asked=_each(served.requests, total),
        calls=_each(served.calls, total),
        reads=_each(served.reads, total),
        writes=_each(served.writes, total),
        object_reads=_each(served.object_reads, total),
        object_writes=_each(served.object_writes, total),
        engines=_each(served.engines, total),
        log_bytes=_each(served.log_bytes, total),
        cpu=_each(served.cpu, total) if known else None,
        memory=(Decimal(str(served.memory)) / _MIB).quantize(Decimal("0.1")) if known else None,
    )


def _each(amount: float, total: Decimal) -> Decimal:
    return (Decimal(str(amount)) / total).quantize(Decimal("0.000001")) if total else Decimal(0)
