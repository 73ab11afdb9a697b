"""A run has its dashboard: what it records survives the dashboard's death, and no service notices."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from shoal import files, model
from shoal.cli.commands.new import artifacts
from shoal.cli.program import Global
from shoal.dashboard.store import runs
from shoal.dashboard.store.reading import TraceQuery, database, trace, traces
from shoal.local.dashboard import linked
from shoal.local.ports import free_port
from shoal.local.probe import get, until
from shoal.local.state import ProcessState
from shoal.local.supervisor import Options, Supervisor, running
from shoal.model.target import LOCAL, with_options
from shoal.operating.project import read

pytestmark = pytest.mark.live
WITHIN = 30.0


@pytest.fixture
def project(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    files.write(place, artifacts("demo"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield place
    for name in [name for name in sys.modules if name.partition(".")[0] == "demo"]:
        del sys.modules[name]


@pytest.fixture
async def watched(project: Path) -> AsyncIterator[Supervisor]:
    system = read(Global(root=project, system="demo.system:system"))
    plan = model.plan(system, with_options(LOCAL, port=free_port())).require()
    async with running(plan, project, Options(entry="demo.system:system", dashboard=True)) as supervisor:
        yield supervisor


async def eventually(check: Callable[[], object]) -> None:
    async def done() -> bool | None:
        return bool(check()) or None

    async with asyncio.timeout(WITHIN):
        await until(done)


def process(supervisor: Supervisor) -> ProcessState:
    return next(p for p in supervisor.state.processes if p.name == "dashboard")


def requests(root: Path) -> list[str]:
    """List the traces of requests for tasks that have a span of the gateway and of the service."""
    with database(runs.find(runs.folder_of(root))) as found:
        asked = traces(found, TraceQuery(operation="GET /tasks", limit=100)).items
        return [one.trace_id for one in asked if {"gateway", "tasks"} <= set(one.services)]


async def test_requests_are_recorded_whatever_happens_to_the_dashboard(watched: Supervisor) -> None:
    root, port = watched.root, watched.plan.port
    assert (await get(port, "/tasks")).status == 200
    await eventually(lambda: len(requests(root)) == 1)
    with database(runs.find(runs.folder_of(root))) as found:
        whole = trace(found, requests(root)[0])
    assert whole is not None
    edge, service = (
        next(s for s in whole.spans if s.service == name and s.kind == "server") for name in ("gateway", "tasks")
    )
    assert (edge.parent_id, service.parent_id, edge.name) == ("", edge.span_id, "GET /tasks")
    link = linked(watched.state)
    assert link is not None
    assert f"127.0.0.1:{watched.state.urls['dashboard'].rpartition(':')[2]}/?token=" in link

    first = process(watched)
    os.kill(first.pid, signal.SIGKILL)
    assert (await get(port, "/tasks")).status == 200  # nobody waits for it
    await eventually(lambda: process(watched).status == "ready" and process(watched).pid != first.pid)
    assert (await get(port, "/tasks")).status == 200
    await eventually(lambda: len(requests(root)) == 3)
    assert [one.number for one in runs.runs(runs.folder_of(root)).items] == [1]

    os.kill(process(watched).pid, signal.SIGSTOP)  # one that hangs takes nothing and refuses nothing
    for _ in range(20):
        assert (await get(port, "/tasks", within=5)).status == 200
    os.kill(process(watched).pid, signal.SIGCONT)
    await eventually(lambda: len(requests(root)) == 23)
    await watched.stop()
    (one,) = runs.runs(runs.folder_of(root)).items
    assert (one.live, one.system) == (False, "demo")
