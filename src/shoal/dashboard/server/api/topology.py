"""The map of the system: what is declared joined with what was observed, also minute by minute."""

import time

import msgspec

from shoal.dashboard.live import gateway, readings
from shoal.dashboard.live.map import Map, Observed, drawn
from shoal.dashboard.live.mermaid import mermaid
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Download, Route, Window
from shoal.errors import Problem

MINUTE = 60_000.0
LONGEST = 60


class Replay(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of time to be shown minute by minute."""

    minutes: int = 5
    until: float = 0.0
    """Unix milliseconds; 0 for now."""


async def shown(desk: Desk, asked: Window) -> Map:
    """Draw the map with what went over each way since a time."""
    system, run = await desk.live.system(), desk.live.run()
    seen = await observed(desk, asked.run, asked.since, asked.until)
    if run is None:
        return drawn(system, seen)
    circuits = readings.circuits(await readings.read(run))
    return drawn(system, seen, run=run, circuits=circuits, faults=await gateway.present(desk.live))


async def replay(desk: Desk, asked: Replay) -> object:
    """Return what went over each way in each of some minutes, the earliest first."""
    count = max(1, min(asked.minutes, LONGEST))
    end = asked.until or time.time() * 1000
    first = (end // MINUTE - count + 1) * MINUTE
    frames = []
    for number in range(count):
        since = first + number * MINUTE
        until = min(since + MINUTE, end)
        frames.append({"since": since, "until": until, "edges": await observed(desk, asked.run, since, until)})
    return {"frames": frames}


async def text(desk: Desk, asked: Window) -> Download:
    """Write the map as Mermaid text."""
    found = await shown(desk, asked)
    return Download(name=f"{found.system}.mmd", type="text/plain; charset=utf-8", body=mermaid(found).encode())


async def observed(desk: Desk, run: int, since: float, until: float) -> list[Observed]:
    """Read the ways that were seen; none where nothing was recorded."""
    try:
        found = await desk.read(run, lambda reader: reader.edges(since=since, until=until))
    except Problem as error:
        if error.status == 404:
            return []
        raise
    items = found["items"] if isinstance(found, dict) else found.items
    return msgspec.convert(items, list[Observed], from_attributes=True)


ROUTES = (
    Route(method="GET", path="/api/map", asked=Window, answer=shown),
    Route(method="GET", path="/api/map/replay", asked=Replay, answer=replay),
    Route(method="GET", path="/api/map/mermaid", asked=Window, answer=text),
)
