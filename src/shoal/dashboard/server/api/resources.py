"""Processes and engines of the running system: how they are, what they use, and what can be done with them."""

import asyncio
import shlex
from typing import Any

import msgspec

from shoal.dashboard.live.service import second
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route
from shoal.errors import ShoalError
from shoal.local import control
from shoal.local.state import ProcessState, RunState
from shoal.local.usage import Meter, Usage
from shoal.operating.running import alive

_METER = Meter()


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One process as the page shows it."""

    process: ProcessState
    usage: Usage | None
    """None where it does not run, or this platform does not tell."""
    url: str
    version: str
    """Declared version of its service, or the name of a second one."""
    problem: str
    """What needs the author, such as an edit that failed."""


class Named(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process."""

    name: str


class Scaled(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service, and how many replicas it is to have."""

    service: str
    replicas: int


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """How a process was started, with secrets hidden, and a line that opens a terminal beside it."""

    argv: list[str]
    folder: str
    environment: dict[str, str]
    shell: str


async def resources(desk: Desk, _: Asked) -> object:
    """List every process of the run."""
    state = await asyncio.to_thread(desk.state)
    if state is None:
        return {"live": False, "items": []}
    live = await asyncio.to_thread(alive, state)
    usage = await asyncio.to_thread(_METER.look, [p.pid for p in state.processes if p.pid]) if live else {}
    versions = await _versions(desk)
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
        "items": [_resource(state, process, usage, versions) for process in state.processes],
    }


async def shown(desk: Desk, asked: Named) -> Command:
    """Say how a process was started."""
    told = await _ask(desk, "process.show", name=asked.name)
    environment: dict[str, str] = told["environment"]
    said = " ".join(
        f"{name}={shlex.quote(value)}" for name, value in environment.items() if "***" not in value and name != "PATH"
    )
    shell = f"cd {shlex.quote(told['folder'])} && env {said} $SHELL"
    return Command(argv=told["argv"], folder=told["folder"], environment=environment, shell=shell)


async def stop(desk: Desk, asked: Named) -> object:
    """Let a process end, and keep it ended."""
    return await _ask(desk, "process.stop", name=asked.name)


async def start(desk: Desk, asked: Named) -> object:
    """Start a process that has ended."""
    return await _ask(desk, "process.start", name=asked.name)


async def restart(desk: Desk, asked: Named) -> object:
    """Let a process end and start it."""
    return await _ask(desk, "process.restart", name=asked.name)


async def scale(desk: Desk, asked: Scaled) -> object:
    """Run so many replicas of a service."""
    return await _ask(desk, "service.scale", service=asked.service, replicas=asked.replicas)


async def _ask(desk: Desk, do: str, **values: object) -> Any:
    state = await asyncio.to_thread(desk.live.running)
    return await control.ask(control.socket_of(state.runtime), do, **values)


async def _versions(desk: Desk) -> dict[str, str]:
    """Read the declared versions of services; none where the declaration cannot be read, which other pages tell."""
    try:
        system = await desk.live.system()
    except ShoalError:
        return {}
    return {service.name: service.version for service in system.services}


def _resource(state: RunState, process: ProcessState, usage: dict[int, Usage], versions: dict[str, str]) -> Resource:
    problem = state.problems.get(process.name) or state.problems.get(process.service, "")
    return Resource(
        process=process,
        usage=usage.get(process.pid),
        url=state.urls.get(process.name, ""),
        version=second(process) or versions.get(process.service, ""),
        problem=problem,
    )


ROUTES = (
    Route(method="GET", path="/api/resources", asked=Asked, answer=resources),
    Route(method="GET", path="/api/resources/{name}/command", asked=Named, answer=shown),
    Route(
        method="POST", path="/api/resources/{name}/stop", asked=Named, answer=stop, does="stop process", told=("name",)
    ),
    Route(
        method="POST",
        path="/api/resources/{name}/start",
        asked=Named,
        answer=start,
        does="start process",
        told=("name",),
    ),
    Route(
        method="POST",
        path="/api/resources/{name}/restart",
        asked=Named,
        answer=restart,
        does="restart process",
        told=("name",),
    ),
    Route(
        method="POST",
        path="/api/services/{service}/scale",
        asked=Scaled,
        answer=scale,
        does="scale service",
        told=("service", "replicas"),
    ),
)
