"""The same behaviour whoever carries calls between services: one proxy, one per service, or nobody."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from shoal import model
from shoal.cli.program import Global
from shoal.discovery import Registry
from shoal.errors import HostError, ShoalError
from shoal.local import evidence, faults, proxies, reaper
from shoal.local.ports import free_port
from shoal.local.probe import get, until
from shoal.local.supervisor import Options, Supervisor, running
from shoal.mesh.compile import compile_mesh
from shoal.mesh.layout import Pipe, Tcp
from shoal.model.fault import Fault
from shoal.model.target import LOCAL, Mesh, with_options
from shoal.operating.project import read
from tests.mesh.wire import Answer, ask

pytestmark = pytest.mark.live

SHAPES: tuple[Mesh, ...] = ("shared", "sidecars", "off")


@pytest.fixture(name="project")
def _project(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(Path(__file__).parent / "shapes" / "village.py", place / "village.py")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "village", raising=False)
    return place


def decide(project: Path, mesh: Mesh) -> model.Plan:
    system = read(Global(root=project, system="village:system"))
    return model.plan(system, with_options(LOCAL, port=free_port(), replicas={"back": 2}, mesh=mesh)).require()


@pytest.fixture(name="village", params=SHAPES)
async def _village(project: Path, request: pytest.FixtureRequest) -> AsyncIterator[Supervisor]:
    async with running(decide(project, request.param), project) as supervisor:
        yield supervisor
    assert [p.name for p in supervisor.state.processes if p.pid and reaper.born(p.pid) == p.born] == []


def front_api() -> Any:
    return sys.modules["village"].FrontApi


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async def true() -> bool | None:
        return await check() or None

    async with asyncio.timeout(30):
        await until(true)


async def out(village: Supervisor, line: str, host: str) -> Answer:
    """Call as `front` does, through its proxy."""
    address = village.directory.service("front").outbound.removeprefix("unix:")
    return await ask(Pipe(path=address), line, host=host)


async def test_the_same_behaviour(village: Supervisor, project: Path) -> None:
    async with Registry(village.state.registry, ttl=0) as registry:
        front = registry.client(front_api())
        pids = {replica.pid for replica in (await registry.service("back")).replicas}
        await _both_replicas_answer(front, pids)
        await _what_is_internal_stays_inside(village)
        if village.plan.target.mesh != "off":
            await _a_fault_strikes_between_services(village, front)
            await _every_hop_is_logged(village)
            await _services_reach_by_name_what_they_declared(village)
        await _a_failing_callee_is_left_alone_until_it_is_well(village, front, project / "ailing")
        await _a_killed_replica_is_replaced(registry, front, min(pids))


async def _both_replicas_answer(front: Any, pids: set[int]) -> None:
    seen: set[int] = set()

    async def all_seen() -> bool:
        answer = await front.ask()
        assert answer.stand_ins == []
        assert 0 < answer.left <= 1.5
        seen.add(answer.pid)
        return seen == pids

    await eventually(all_seen)


async def _what_is_internal_stays_inside(village: Supervisor) -> None:
    assert (await get(village.plan.port, "/answer")).status == 404
    assert (await get(village.plan.port, "/metrics")).status == 404


async def _a_fault_strikes_between_services(village: Supervisor, front: Any) -> None:
    assert village._site is not None
    admins = faults.proxies(village._site.layout)
    await faults.add(admins, village.plan, Fault(caller="front", callee="back", abort=503))
    assert (await front.ask()).stand_ins == ["default"]
    await faults.clear(admins, village.plan)
    assert (await front.ask()).stand_ins == []


async def _every_hop_is_logged(village: Supervisor) -> None:
    assert village._site is not None
    assert village._site.mesh is not None
    access = Path(village._site.mesh.access())
    trace = (await ask(Tcp(host="127.0.0.1", port=village.plan.port), "GET /ask")).headers["x-trace-id"]

    async def logged() -> bool:
        try:
            return len(evidence.hops_of(access, trace)) == 4  # the edge, into front, out of it, into back
        except ShoalError:
            return False

    await eventually(logged)


async def _services_reach_by_name_what_they_declared(village: Supervisor) -> None:
    for host in ("back", "back.shoal.local"):
        assert (await out(village, "GET /answer", host)).status == 200
        assert (await out(village, "GET /secret", host)).status == 403
    assert (await out(village, "GET /answer", "evil.shoal.local")).status == 403


def make_ill(ailing: Path) -> None:
    ailing.touch()


def heal(ailing: Path) -> None:
    ailing.unlink()


def instances(pid: int) -> int:
    """Count a process's instances of inotify."""
    handles = [str(handle.readlink()) for handle in Path(f"/proc/{pid}/fd").iterdir()]
    return handles.count("anon_inode:inotify")


async def _a_failing_callee_is_left_alone_until_it_is_well(village: Supervisor, front: Any, ailing: Path) -> None:
    socket = next(p.address for p in village.state.processes if p.service == "front").removeprefix("unix:")
    make_ill(ailing)

    async def opened() -> bool:
        assert (await front.ask()).stand_ins == ["default"]
        return (
            'shoal_circuit_state{shoal_circuit="back.answer"} 2' in (await get(Path(socket), "/metrics")).body.decode()
        )

    await eventually(opened)
    assert (await get(Path(socket), "/ready")).status == 200
    heal(ailing)

    async def well() -> bool:
        return not (await front.ask()).stand_ins

    await eventually(well)


async def _a_killed_replica_is_replaced(registry: Registry, front: Any, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)

    async def replaced() -> bool:
        await front.ask()
        back = await registry.service("back")
        return back.health == "up" and pid not in {replica.pid for replica in back.replicas}

    await eventually(replaced)


async def test_sidecars_follow_a_changed_declaration(project: Path) -> None:
    options = Options(entry="village:system", reload=True)
    async with running(decide(project, "sidecars"), project, options) as village:
        assert (await get(village.plan.port, "/later")).status == 404
        add_an_endpoint(project / "village.py")

        async def served() -> bool:
            return (await get(village.plan.port, "/later")).status == 200

        await eventually(served)
        assert village.directory.service("front").health == "up"


def add_an_endpoint(module: Path) -> None:
    later = '@front.get("/later", access=anyone)\nasync def later() -> str:\n    return "now"\n\n\nsystem ='
    module.write_text(module.read_text("utf-8").replace("system =", later), "utf-8")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")
async def test_sidecars_watch_as_many_files_as_was_said(project: Path) -> None:
    plan = decide(project, "sidecars")
    async with running(plan, project) as village:
        assert village._site is not None
        mesh = village._site.mesh
        assert mesh is not None
        for name, layout in proxies.proxies(plan, mesh).items():
            pid = next(p.pid for p in village.state.processes if p.name == name)
            said = proxies.watches(compile_mesh(plan, layout))
            assert instances(pid) == said, name


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")
async def test_too_few_watches_are_an_error_before_anything_starts(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = project / "max_user_instances"
    limit.write_text("20\n", "utf-8")
    kept = project / ".shoal" / "data" / "kept"
    kept.parent.mkdir(parents=True)
    kept.touch()
    monkeypatch.setattr(proxies, "_LIMIT", limit)
    with pytest.raises(HostError, match="3 proxies watch files with 23 instances of inotify; of the 20") as caught:
        async with running(decide(project, "sidecars"), project, Options(fresh=True)):
            pass
    assert kept.exists()
    assert "fs.inotify.max_user_instances=1024" in str(caught.value)
    limit.write_text("5\n", "utf-8")
    with pytest.raises(HostError, match=r"the proxy watches files with .* instances of inotify; of the 5"):
        async with running(decide(project, "shared"), project):
            pass
    monkeypatch.undo()
    async with running(decide(project, "off"), project) as village:
        assert village.state.status == "ready"
