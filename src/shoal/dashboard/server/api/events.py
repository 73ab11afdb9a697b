"""Events, dead letters and outboxes of the running system."""

import asyncio
from typing import Annotated, Any

import msgspec

from shoal.dashboard.live import events, letters, publishing
from shoal.dashboard.live.delivery import delivered
from shoal.dashboard.live.letters import Correction, Sought, Wanted
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import LIMIT, Asked, Route
from shoal.dashboard.server.recorded import recorded
from shoal.dashboard.store.reading import trace


class One(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event type."""

    id: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 20
    before: int = 0
    """Only messages at lower places of its stream; 0 begins with the latest."""


class Delivery(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event, and the trace in which it was announced."""

    id: str
    message: str
    trace: str


class Letters(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters."""

    service: str = ""
    type: str = ""
    find: str = ""
    """In an id, a type, a key or an error."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=LIMIT)] = 200
    """Most letters."""


class Publishing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event to be announced, or tried."""

    id: str
    data: Any
    dry: bool = False


async def shown(desk: Desk, _: Asked) -> object:
    """List every event with who says and hears it; lags and letters while the system runs."""
    system = await desk.live.system()
    if desk.live.run() is None:
        return {"live": False, "items": events.types(system)}
    running = await desk.live.engines()
    lags, counts = await asyncio.gather(events.lags(running), letters.counted(running))
    return {"live": True, "items": events.types(system, lags, counts)}


async def waiting(desk: Desk, _: Asked) -> object:
    """Measure what waits in the outbox of every producer."""
    if desk.live.run() is None:
        return {"live": False, "items": []}
    return {"live": True, "items": await events.outboxes(await desk.live.engines())}


async def one(desk: Desk, asked: One) -> object:
    """Return the latest events of a type as its stream holds them."""
    events.found(await desk.live.system(), asked.id)
    if desk.live.run() is None:
        return {"live": False, "items": [], "next": None}
    found = await events.latest(await desk.live.engines(), asked.id, asked.limit, asked.before)
    return {"live": True, "items": found.items, "next": found.next}


async def way(desk: Desk, asked: Delivery) -> object:
    """Return the way of one event out of its recorded trace; nothing where that was not recorded."""
    found = await recorded(desk, asked.run, lambda file: trace(file, asked.trace))
    return {"items": [] if found is None else delivered(found.spans, asked.message)}


async def publish(desk: Desk, asked: Publishing) -> object:
    """Announce an event, or say what everybody who hears it would do."""
    running = await desk.live.engines()
    if asked.dry:
        return {"tried": await publishing.try_out(running, asked.id, asked.data)}
    return await publishing.publish(running, asked.id, asked.data)


async def dead(desk: Desk, asked: Letters) -> object:
    """List dead letters."""
    if desk.live.run() is None:
        return {"live": False, "items": [], "total": 0, "more": False}
    sought = Sought(service=asked.service, kind=asked.type, text=asked.find, limit=asked.limit)
    found = await letters.listed(await desk.live.engines(), sought)
    return {"live": True, "items": found.items, "total": found.total, "more": found.more}


async def replay(desk: Desk, wanted: Wanted) -> object:
    """Send letters to their consumers once more."""
    return {"ids": await letters.replay(await desk.live.engines(), wanted)}


async def try_out(desk: Desk, wanted: Wanted) -> object:
    """Say what handling letters would do."""
    return {"tried": await letters.try_out(await desk.live.engines(), wanted)}


async def purge(desk: Desk, wanted: Wanted) -> object:
    """Throw letters away."""
    return {"ids": await letters.purge(await desk.live.engines(), wanted)}


async def edit(desk: Desk, wanted: Correction) -> object:
    """Put other data into a letter."""
    return await letters.edit(await desk.live.engines(), wanted)


ROUTES = (
    Route(method="GET", path="/api/events", asked=Asked, answer=shown),
    Route(method="GET", path="/api/events/{id}", asked=One, answer=one),
    Route(method="GET", path="/api/events/{id}/{message}/delivery", asked=Delivery, answer=way),
    Route(
        method="POST",
        path="/api/events/{id}/publish",
        asked=Publishing,
        answer=publish,
        does="publish event",
        told=("id",),
    ),
    Route(method="GET", path="/api/outboxes", asked=Asked, answer=waiting),
    Route(method="GET", path="/api/letters", asked=Letters, answer=dead),
    Route(
        method="POST",
        path="/api/letters/replay",
        asked=Wanted,
        answer=replay,
        does="replay letters",
        told=("ids", "everything", "service"),
    ),
    Route(method="POST", path="/api/letters/try", asked=Wanted, answer=try_out),
    Route(
        method="POST",
        path="/api/letters/purge",
        asked=Wanted,
        answer=purge,
        does="purge letters",
        told=("ids", "everything", "service"),
    ),
    Route(method="POST", path="/api/letters/edit", asked=Correction, answer=edit, does="edit letter", told=("id",)),
)
