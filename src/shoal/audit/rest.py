"""Tell whether a system has come to rest: nothing waits in an outbox, nothing is unanswered at the broker."""

import asyncio
import time
from collections.abc import Mapping

from shoal.audit import projections, sagas
from shoal.audit.subject import Subject
from shoal.drivers.base import Position
from shoal.errors import EngineError

LOOK_EVERY = 0.25
"""Seconds between two looks."""


async def wait(subject: Subject, seconds: float) -> str:
    """Wait up to `seconds` for rest; return what is still in flight then, empty when nothing is."""
    until = time.monotonic() + seconds
    while True:
        moving = await in_flight(subject)
        if not moving or time.monotonic() >= until:
            return moving
        subject.progress(f"in flight: {moving}")
        await asyncio.sleep(LOOK_EVERY)


async def in_flight(subject: Subject) -> str:
    """Say what moves; empty when two looks in a row find nothing and the streams did not grow between them.

    One look is not enough: while it goes from service to service, an event can pass behind it.
    """
    before = await _positions(subject)
    moving = await _look(subject) or await _look(subject)
    if not moving and before != await _positions(subject):
        return "events were announced meanwhile"
    return moving


async def _look(subject: Subject) -> str:
    try:
        waiting = sum([(await store.backlog()).count for store in subject.stores.values()])
        lags = 0
        if subject.broker is not None:
            for stream in subject.plan.streams:
                lags += sum((await subject.broker.lags(stream.name)).values())
        active, unfolded = await sagas.under_way(subject), await projections.unfolded(subject)
    except EngineError as error:
        return error.message
    parts = [f"{waiting} events in outboxes"] if waiting else []
    parts += [f"{lags} deliveries unanswered"] if lags else []
    parts += [f"{active} sagas under way"] if active else []
    parts += ["read models behind"] if unfolded else []
    return ", ".join(parts)


async def _positions(subject: Subject) -> Mapping[str, Position] | None:
    if subject.broker is None:
        return None
    try:
        return await subject.broker.positions()
    except EngineError:
        return None
