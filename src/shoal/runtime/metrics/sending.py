"""Send what the services of a process measure, every so many seconds, in OpenTelemetry's protocol."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from time import time_ns

import msgspec

from shoal.runtime.metrics.vitals import Vitals
from shoal.telemetry.exporter import Exporter
from shoal.telemetry.metrics import Latest, Span, encode

LAST = 1.0
"""Seconds that the last look at a service's engines may take when its process ends."""


_log = logging.getLogger("shoal.telemetry")


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One service whose metrics are sent."""

    vitals: Vitals
    resource: bytes
    """As `shoal.telemetry.resource.encode` makes it."""
    latest: Latest


def measured(vitals: Vitals, resource: bytes, exporter: Exporter, pause: float) -> Measured:
    """Let an exporter send what a service measures, every `pause` seconds."""
    latest = Latest(pause)
    exporter.add(latest)
    return Measured(vitals=vitals, resource=resource, latest=latest)


@contextlib.asynccontextmanager
async def sending(services: Sequence[Measured], exporter: Exporter) -> AsyncIterator[None]:
    """Send for the time of the block, and once at its end."""
    tasks = [asyncio.create_task(_run(service, exporter)) for service in services]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST):
                await asyncio.gather(*(_tell(service, exporter, 0) for service in services))


async def _run(service: Measured, exporter: Exporter) -> None:
    """Tell again and again; what cannot be read now, such as files when no more may be open, is tried again."""
    before, failing = 0, False
    while True:
        await asyncio.sleep(service.latest.pause)
        try:
            before, failing = await _tell(service, exporter, before), False
        except Exception:  # noqa: BLE001 - whatever it is, the next look may succeed
            if not failing:
                _log.exception("metrics cannot be read, and are tried again")
            failing = True


async def _tell(service: Measured, exporter: Exporter, before: int) -> int:
    """Measure and hand over; return when that was, in nanoseconds."""
    families = await service.vitals.families()
    now = time_ns()
    when = Span(since=int(service.vitals.since * 1e9), now=now, before=before)
    points = sum(len(family.points) for family in families)
    service.latest.put(encode(families, service.resource, when), points)
    exporter.poke(service.latest)
    return now
