"""Processes and engines of the running system: how they are, and what they use."""

import asyncio

import msgspec

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route
from shoal.local import reaper
from shoal.local.state import ProcessState, RunState
from shoal.local.usage import Meter, Usage

_METER = Meter()


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One process as the page shows it."""

    process: ProcessState
    usage: Usage | None
    """None where it does not run, or this platform does not tell."""
    url: str
    problem: str
    """What needs the author, such as an edit that failed."""


async def resources(desk: Desk, _: Asked) -> object:
    """List every process of the run."""
    state = await asyncio.to_thread(desk.state)
    if state is None:
        return {"live": False, "items": []}
    live = await asyncio.to_thread(_alive, state)
    usage = await asyncio.to_thread(_METER.look, [p.pid for p in state.processes if p.pid]) if live else {}
    return {
        "live": live,
        "system": state.system,
        "status": state.status if live or state.status == "failed" else "stopped",
        "root": state.root,
        "started": state.started_at,
        "shape": state.shape,
        "mesh": state.mesh,
        "gateway": state.gateway,
        "registry": state.registry,
        "urls": state.urls,
        "problems": state.problems,
        "items": [_resource(state, process, usage) for process in state.processes],
    }


def _resource(state: RunState, process: ProcessState, usage: dict[int, Usage]) -> Resource:
    problem = state.problems.get(process.name) or state.problems.get(process.service, "")
    return Resource(
        process=process,
        usage=usage.get(process.pid),
        url=state.urls.get(process.name, ""),
        problem=problem,
    )


def _alive(state: RunState) -> bool:
    born = reaper.born(state.pid)
    return bool(born) and born == state.born


ROUTES = (Route(method="GET", path="/api/resources", asked=Asked, answer=resources),)
