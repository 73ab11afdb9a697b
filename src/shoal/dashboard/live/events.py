"""Events of the running system: who says and hears each, how far every consumer has come, and what waits."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from shoal import model
from shoal.dashboard.live.schemas import Form, form
from shoal.drivers.base import Backlog, Kept
from shoal.errors import DeclarationError, EngineError, ShoalError
from shoal.model import catalog, names
from shoal.model.service import Event
from shoal.operating.engines import Engines
from shoal.runtime.envelope import unpack
from shoal.service import codec

PAGE = 200
"""Messages of a stream that are read at a time."""

LOOKED_AT = 2000
"""Messages of a stream that are read for one answer: a type may be rare among others."""


class Consumer(msgspec.Struct, frozen=True, kw_only=True):
    """One service that hears an event."""

    service: str
    handlers: tuple[str, ...]
    lag: int | None
    """Messages of the producer's stream that it has not answered, of whatever type; None where the broker counts none,
    or nothing runs."""
    letters: int = 0
    """Dead letters of this event."""
    source: str = ""


class EventType(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an event type."""

    id: str
    service: str
    version: int
    key: str
    failure: bool
    source: str
    consumers: tuple[Consumer, ...]
    form: Form | None


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in the outbox of a producer."""

    service: str
    count: int = 0
    age: float = 0.0
    """Seconds since the oldest was committed."""
    refused: int = 0
    error: str = ""
    """Why nobody knows."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event as its stream holds it."""

    id: str
    type: str
    key: str
    at: float
    """When the stream stored it, in milliseconds of the Unix epoch."""
    place: int
    trace_id: str = ""
    data: Any = None


class Latest(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events, the newest first."""

    items: list[Told]
    next: int | None
    """Go on before this place; None where the stream begins."""


def types(
    system: model.System,
    lags: Mapping[str, Mapping[str, int]] | None = None,
    letters: Mapping[tuple[str, str], int] | None = None,
) -> list[EventType]:
    """List every event of the system.

    Args:
        system: What is declared.
        lags: Unanswered messages by stream and durable consumer.
        letters: Dead letters by service and event.
    """
    return [
        EventType(
            id=event.id,
            service=service.name,
            version=event.version,
            key=event.key,
            failure=event.failure,
            source=event.source,
            consumers=tuple(_consumers(system, event, lags, letters or {})),
            form=form(event.schema, service.schemas),
        )
        for service in system.services
        for event in service.publishes
    ]


def found(system: model.System, id_: str) -> tuple[model.Service, Event]:
    """Find an event and who owns it; `DeclarationError` names those there are."""
    for service in system.services:
        for event in service.publishes:
            if event.id == id_:
                return service, event
    known = ", ".join(event.id for service in system.services for event in service.publishes)
    raise DeclarationError(f"there is no event {id_!r}", hint=f"events: {known or 'none'}")


async def lags(running: Engines) -> dict[str, Mapping[str, int]]:
    """Read what every consumer has not answered; empty where the broker does not count it."""
    if not running.hears or "lags" not in catalog.engine(running.plan.target.broker).capabilities:
        return {}
    broker = running.broker()
    present = await broker.positions()
    streams = [s.name for s in running.plan.streams if s.name in present]
    counted = await asyncio.gather(*(broker.lags(name) for name in streams))
    return dict(zip(streams, counted, strict=True))


async def outboxes(running: Engines) -> list[Outbox]:
    """Measure what waits in the outbox of every producer; one that cannot be read says why."""
    producers = [s.name for s in running.plan.system.services if s.publishes]
    return list(await asyncio.gather(*(_outbox(running, name) for name in producers)))


async def latest(running: Engines, id_: str, limit: int = 20, before: int = 0) -> Latest:
    """Read events of a type from the broker, the newest first; none where it keeps no log.

    Args:
        running: The run.
        id_: The type.
        limit: At most so many.
        before: Only those at lower places of the stream; 0 begins with the latest.
    """
    service, _ = found(running.plan.system, id_)
    if "log" not in catalog.engine(running.plan.target.broker).capabilities:
        return Latest(items=[], next=None)
    broker, stream = running.broker(), names.stream(running.plan.system.name, service.name)
    position = (await broker.positions()).get(stream)
    top = 0 if position is None else min(position.last, before - 1) if before else position.last
    end = max(0, top - LOOKED_AT)
    seen: list[Told] = []
    while top > end and len(seen) < limit:
        bottom = max(end, top - PAGE)
        page = [kept for kept in await broker.read(stream, bottom, PAGE) if kept.sequence <= top]
        seen += [told for kept in reversed(page) if (told := _told(kept)) is not None and told.type == id_]
        top = bottom
    if len(seen) > limit:
        return Latest(items=seen[:limit], next=seen[limit - 1].place)
    return Latest(items=seen, next=top + 1 if top else None)


async def _outbox(running: Engines, service: str) -> Outbox:
    try:
        async with running.store(service) as store:
            waiting: Backlog = await store.backlog()
    except (ShoalError, EngineError) as error:
        return Outbox(service=service, error=error.message)
    return Outbox(service=service, count=waiting.count, age=waiting.age, refused=waiting.refused)


def _consumers(
    system: model.System,
    event: Event,
    lags_: Mapping[str, Mapping[str, int]] | None,
    letters: Mapping[tuple[str, str], int],
) -> Iterable[Consumer]:
    stream = names.stream(system.name, event.owner)
    for service in system.services:
        handlers = [s for s in service.subscriptions if event.id in s.heard]
        if handlers:
            durables = [names.durable(service.name, part) for part in range(names.PARTS)]
            counts = (lags_ or {}).get(stream)
            yield Consumer(
                service=service.name,
                handlers=tuple(s.handler for s in handlers),
                lag=None if counts is None else sum(counts.get(durable, 0) for durable in durables),
                letters=letters.get((service.name, event.id), 0),
                source=handlers[0].source,
            )


def _told(kept: Kept) -> Told | None:
    try:
        envelope = unpack(kept.message)
    except codec.Malformed:
        return None
    parent = envelope.traceparent if isinstance(envelope.traceparent, str) else ""
    return Told(
        id=envelope.id,
        type=envelope.type,
        key=envelope.subject if isinstance(envelope.subject, str) else "",
        at=kept.at.timestamp() * 1000,
        place=kept.sequence,
        trace_id=parent.split("-")[1] if parent.count("-") == 3 else "",
        data=msgspec.json.decode(bytes(envelope.data)),
    )
