"""The map of the system: what is declared joined with what was observed, also step by step."""

import asyncio
import time

import msgspec

from shoal.dashboard.live import gateway, readings
from shoal.dashboard.live.map import Map, Observed, drawn
from shoal.dashboard.live.mermaid import mermaid
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Download, Route, Window
from shoal.dashboard.server.recorded import recorded
from shoal.dashboard.store.reading import edges

MOST = 360
"""Frames of one replay."""


class Looking(Window, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which time the numbers are of."""

    last: float = 0.0
    """Seconds until now, in place of `since`; 0 takes `since`."""


class Replay(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of time to be shown step by step."""

    seconds: float = 300.0
    step: float = 10.0
    """Seconds of a frame; the finest that is recorded is 10."""
    until: float = 0.0
    """Unix milliseconds; 0 for now, or the end of a run that has ended."""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What went over the ways in one step."""

    since: float
    until: float
    edges: list[Observed]


async def shown(desk: Desk, asked: Looking) -> Map:
    """Draw the map with what went over each way since a time."""
    system, run = await desk.live.system(), desk.live.run()
    since = (time.time() - asked.last) * 1000 if asked.last else asked.since
    seen = await observed(desk, asked.run, since, asked.until)
    if run is None:
        return drawn(system, seen)
    circuits = readings.circuits(await readings.read(run))
    return drawn(system, seen, run=run, circuits=circuits, faults=await gateway.present(desk.live))


async def replay(desk: Desk, asked: Replay) -> object:
    """Return what went over each way, step by step, the earliest first."""
    step = max(10.0, asked.step) * 1000
    count = max(1, min(round(asked.seconds * 1000 / step), MOST))
    end = (asked.until or await _end(desk, asked.run)) // step * step + step
    spans = [(end - n * step, end - (n - 1) * step) for n in range(count, 0, -1)]
    frames = [Frame(since=a, until=b, edges=await observed(desk, asked.run, a, b)) for a, b in spans]
    return {"frames": frames}


async def text(desk: Desk, asked: Looking) -> Download:
    """Write the map as Mermaid text."""
    found = await shown(desk, asked)
    return Download(name=f"{found.system}.mmd", type="text/plain; charset=utf-8", body=mermaid(found).encode())


async def observed(desk: Desk, run: int, since: float, until: float) -> list[Observed]:
    """Read the ways that were seen; none where nothing was recorded."""
    found = await recorded(desk, run, lambda file: edges(file, since=since or None, until=until or None))
    items = found.items if found is not None else []
    return msgspec.convert(items, list[Observed], from_attributes=True)


async def _end(desk: Desk, number: int) -> float:
    """Find the time at which a run ended; now while it goes on."""
    items = (await asyncio.to_thread(desk.library.runs)).items
    chosen = next((run for run in items if run.number == number or not (number or run.source)), None)
    return time.time() * 1000 if chosen is None or chosen.live or not chosen.ended else float(chosen.ended)


ROUTES = (
    Route(method="GET", path="/api/map", asked=Looking, answer=shown),
    Route(method="GET", path="/api/map/replay", asked=Replay, answer=replay),
    Route(method="GET", path="/api/map/mermaid", asked=Looking, answer=text),
)
