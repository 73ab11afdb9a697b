"""A supervisor at work on the real engines: start, failures of every kind, reload, and nothing left behind."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shoal import files, model
from shoal.cli.commands.new import artifacts
from shoal.cli.program import Global
from shoal.errors import EngineError, HostError
from shoal.local import reaper
from shoal.local.ports import free_port
from shoal.local.probe import get, until
from shoal.local.reporter import Quiet
from shoal.local.state import ProcessState, RunState, read_state
from shoal.local.supervisor import Options, Supervisor, running
from shoal.model.target import LOCAL, Target, with_options
from shoal.operating.project import read

pytestmark = pytest.mark.live
WITHIN = 30.0
"""Seconds after which a test gives up waiting; far more than anything here takes."""


NEW_EVENT = """

@event("tasks.counted", key="number")
class Counted(msgspec.Struct, frozen=True, kw_only=True):
    number: int
"""
NEW_ENDPOINT = """

@tasks.get("/count", access=anyone)
async def counted(tx: Transaction) -> Counted:
    found = Counted(number=await tx.count(Task))
    tx.publish(found)
    return found
"""
SLOW_ENDPOINT = """

@tasks.get("/slow", access=anyone)
async def slow() -> dict[str, str]:
    import asyncio, pathlib
    pathlib.Path("slow").touch()
    await asyncio.sleep(1.0)
    return {}
"""
NEW_SUBSCRIPTION = """

@scores.on(Counted)
async def remember(event: Counted, tx: Transaction) -> None:
    tx.put(Score(owner="count", finished=1000 + event.number))
"""


@dataclass
class Heard(Quiet):
    """Remembers what a supervisor says."""

    problems: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def problem(self, source: str, text: str) -> None:
        self.problems.append(f"{source}: {text}")

    def event(self, source: str, text: str) -> None:
        self.events.append(f"{source}: {text}")


@pytest.fixture
def project(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    files.write(place, artifacts("demo"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield place
    for name in [name for name in sys.modules if name.partition(".")[0] == "demo"]:
        del sys.modules[name]


def decide(project: Path, target: Target = LOCAL) -> model.Plan:
    system = read(Global(root=project, system="demo.system:system"))
    return model.plan(system, with_options(target, port=free_port())).require()


@pytest.fixture
async def demo(project: Path) -> AsyncIterator[tuple[Supervisor, Heard]]:
    heard = Heard()
    options = Options(entry="demo.system:system", reload=True, reporter=heard)
    async with running(decide(project), project, options) as supervisor:
        yield supervisor, heard


def process(supervisor: Supervisor, name: str) -> ProcessState:
    return next(p for p in supervisor.state.processes if p.name == name)


async def eventually(check: Callable[[], object]) -> None:
    """Wait until `check` is true."""

    async def done() -> bool | None:
        return bool(check()) or None

    async with asyncio.timeout(WITHIN):
        await until(done)


async def status(supervisor: Supervisor, path: str) -> int:
    try:
        return (await get(supervisor.plan.port, path)).status
    except OSError:
        return 0


async def works(supervisor: Supervisor, path: str = "/tasks") -> None:
    """Wait until the gateway answers with 200."""

    async def good() -> bool | None:
        return await status(supervisor, path) == 200 or None

    async with asyncio.timeout(WITHIN):
        await until(good)


def living(run: RunState) -> list[str]:
    return [p.name for p in run.processes if p.pid and reaper.born(p.pid) == p.born]


def told(project: Path) -> dict[str, str]:
    """Read what the state file says to be unsolved."""
    run = read_state(project)
    return run.problems if run is not None else {}


async def test_everything_answers_inside_and_nothing_is_left_after(project: Path) -> None:
    plan = decide(project)
    async with running(plan, project) as supervisor:
        assert await status(supervisor, "/tasks") == 200
        run = read_state(project)
        assert run is not None
        assert run.status == "ready"
        assert {p.name: p.status for p in run.processes} == dict.fromkeys(
            ("envoy", "nats", "postgres", "tasks-0", "scores-0"), "ready"
        )
        assert sorted(living(run)) == ["envoy", "nats", "postgres", "scores-0", "tasks-0"]
    assert living(run) == []
    after = read_state(project)
    assert after is not None
    assert after.status == "stopped"
    assert await status(supervisor, "/tasks") == 0


@pytest.mark.parametrize("name", ["tasks-0", "postgres", "nats", "envoy"])
async def test_what_is_killed_comes_back(demo: tuple[Supervisor, Heard], name: str) -> None:
    supervisor, _ = demo
    before = process(supervisor, name)
    os.kill(before.pid, signal.SIGKILL)
    await eventually(lambda: process(supervisor, name).restarts == 1 and process(supervisor, name).status == "ready")
    assert process(supervisor, name).pid != before.pid
    await works(supervisor)


async def test_new_code_serves_without_a_failed_request(project: Path, demo: tuple[Supervisor, Heard]) -> None:
    supervisor, heard = demo
    file = project / "demo/scores/service.py"
    before = process(supervisor, "scores-0").pid
    statuses: list[int] = []

    async def changed() -> bool | None:
        answer = await get(supervisor.plan.port, "/scores/ada")
        statuses.append(answer.status)
        return b'"finished":7' in answer.body or None

    _edit(file, "finished: int = 0", "finished: int = 7")
    async with asyncio.timeout(WITHIN):
        await until(changed)
    await eventually(lambda: any("new version" in event for event in heard.events))
    assert set(statuses) == {200}
    assert process(supervisor, "scores-0").pid != before
    assert process(supervisor, "tasks-0").restarts == 0


async def test_who_imports_what_was_edited_is_replaced_with_its_owner(
    project: Path, demo: tuple[Supervisor, Heard]
) -> None:
    supervisor, heard = demo
    before = {name: process(supervisor, name).pid for name in ("tasks-0", "scores-0")}
    _edit(project / "demo/tasks/contract.py", "    owner: str", '    owner: str\n    by: str = ""')
    await eventually(lambda: all(process(supervisor, name).pid != pid for name, pid in before.items()))
    for name in ("tasks", "scores"):
        await eventually(lambda: any(e.startswith(f"{name}: edited demo/tasks/contract.py") for e in heard.events))  # noqa: B023


@pytest.mark.parametrize("mistake", ["finished: int = = 0", "finished: int = nowhere"])
async def test_broken_code_leaves_the_old_one_serving(
    project: Path, demo: tuple[Supervisor, Heard], mistake: str
) -> None:
    supervisor, heard = demo
    before = process(supervisor, "scores-0").pid
    _edit(project / "demo/scores/service.py", "finished: int = 0", mistake)
    await eventually(lambda: heard.problems)
    assert "the previous version still serves" in heard.problems[0]
    await eventually(lambda: "scores" in told(project))
    assert re.search(r"demo/scores/service.py(:|\", line )\d+", told(project)["scores"])
    assert process(supervisor, "scores-0").pid == before
    assert await status(supervisor, "/scores/ada") == 200
    _edit(project / "demo/scores/service.py", mistake, "finished: int = 3")
    await eventually(lambda: process(supervisor, "scores-0").pid != before)
    await eventually(lambda: told(project) == {})
    await eventually(lambda: "scores: solved" in (project / ".shoal/logs/supervisor.log").read_text())


async def test_a_new_endpoint_and_a_new_event_need_no_new_run(project: Path, demo: tuple[Supervisor, Heard]) -> None:
    supervisor, heard = demo
    await works(supervisor)  # over connections that were made under the old rules
    assert await status(supervisor, "/count") == 404
    contract = project / "demo/tasks/contract.py"
    more = contract.read_text() + NEW_EVENT
    contract.write_text(more)
    service = project / "demo/tasks/service.py"
    service.write_text(
        service.read_text()
        .replace("publishes=[TaskFinished]", "publishes=[TaskFinished, Counted]")
        .replace("import TaskFinished", "import Counted, TaskFinished")
        + NEW_ENDPOINT
    )
    _edit(project / "demo/scores/service.py", "import TaskFinished", "import Counted, TaskFinished")
    scores = project / "demo/scores/service.py"
    scores.write_text(scores.read_text() + NEW_SUBSCRIPTION)
    await works(supervisor, "/count")

    async def heard_of() -> bool | None:
        return b'"finished":1000' in (await get(supervisor.plan.port, "/scores/count")).body or None

    async with asyncio.timeout(WITHIN):
        await until(heard_of)
    assert any("follow the new declaration" in event for event in heard.events)
    broker = process(supervisor, "nats")  # whose next start must know the new event, too
    os.kill(broker.pid, signal.SIGKILL)
    await eventually(
        lambda: process(supervisor, "nats").restarts == 1 and process(supervisor, "nats").status == "ready"
    )
    _edit(service, "number=await tx.count(Task)", "number=1 + await tx.count(Task)")

    async def heard_again() -> bool | None:
        await get(supervisor.plan.port, "/count")
        return b'"finished":1001' in (await get(supervisor.plan.port, "/scores/count")).body or None

    async with asyncio.timeout(WITHIN):
        await until(heard_again)


async def test_replicas_are_processes_of_their_own(project: Path) -> None:
    target = with_options(LOCAL, replicas={"tasks": 3})
    async with running(decide(project, target), project) as supervisor:
        pids = {p.pid for p in supervisor.state.processes if p.service == "tasks"}
        assert len(pids) == 3
        os.kill(pids.pop(), signal.SIGKILL)
        for _ in range(20):
            assert await status(supervisor, "/tasks") == 200


async def test_one_process_needs_no_proxy(project: Path) -> None:
    plan = decide(project, Target(shape="one-process"))
    async with running(plan, project, Options(entry="demo.system:system")) as supervisor:
        assert [p.name for p in supervisor.state.processes] == ["nats", "postgres", "demo"]
        assert await status(supervisor, "/tasks") == 200


async def test_without_a_fork_server_each_service_is_an_interpreter(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shoal.local.forks.supported", lambda: False)
    async with running(decide(project), project) as supervisor:
        assert await status(supervisor, "/tasks") == 200


async def test_a_project_runs_once_at_a_time(project: Path) -> None:
    plan = decide(project)
    async with running(plan, project) as supervisor:
        with pytest.raises(HostError, match=rf"already running \(pid {os.getpid()}\)"):
            await Supervisor(plan, project).start()
        assert await status(supervisor, "/tasks") == 200


async def test_a_busy_port_is_told_with_its_owner(project: Path) -> None:
    plan = decide(project)
    server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", plan.port)
    async with server:
        with pytest.raises(HostError, match=rf"port {plan.port} is already in use") as refused:
            async with running(plan, project):
                pass
    assert "--port" in refused.value.hint


async def test_a_service_that_cannot_start_fails_a_strict_run(project: Path) -> None:
    plan = decide(project)
    (project / "demo/scores/migrations/001_scores.sql").write_text("create tabel scores ();")
    supervisor = Supervisor(plan, project, Options(strict=True))
    with pytest.raises(EngineError, match=r"(?s)scores-0 exited with code 1.*001_scores"):
        await supervisor.run()
    run = supervisor.state
    assert run.status == "failed"
    assert next(p for p in run.processes if p.name == "scores-0").reason.startswith("scores-0 exited")
    assert living(run) == []


async def test_a_service_that_cannot_start_is_tried_again(project: Path) -> None:
    plan, heard = decide(project), Heard()
    migration = project / "demo/scores/migrations/001_scores.sql"
    good = migration.read_text()
    migration.write_text("create tabel scores ();")
    async with running(plan, project, Options(reporter=heard)) as supervisor:
        assert "scores-0 exited with code 1" in heard.problems[0]
        assert await status(supervisor, "/tasks") == 200
        migration.write_text(good)
        await eventually(lambda: process(supervisor, "scores-0").status == "ready")


async def test_stopping_while_starting_leaves_nothing(project: Path) -> None:
    supervisor = Supervisor(decide(project), project)
    run = asyncio.create_task(supervisor.run())
    await eventually(lambda: any(u.state.pid for u in supervisor.units))
    supervisor.request_stop()
    await run
    assert living(supervisor.state) == []


async def test_what_is_under_way_is_finished_before_the_end(project: Path) -> None:
    service = project / "demo/tasks/service.py"
    service.write_text(service.read_text() + SLOW_ENDPOINT)
    supervisor = Supervisor(decide(project), project)
    run = asyncio.create_task(supervisor.run())
    await works(supervisor)
    under_way = asyncio.create_task(get(supervisor.plan.port, "/slow", within=WITHIN))
    await eventually((project / "slow").exists)
    supervisor.request_stop()
    assert (await under_way).status == 200
    await run
    assert living(supervisor.state) == []


async def test_fresh_forgets_the_data(project: Path) -> None:
    plan = decide(project)
    async with running(plan, project) as supervisor:
        password = (project / ".shoal/secrets/passwords.json").read_bytes()
        mark = project / ".shoal/data/postgres/mark"
        mark.write_text("x")
    with socket.create_server(("127.0.0.1", plan.port)), pytest.raises(HostError, match="port"):
        await Supervisor(plan, project, Options(fresh=True)).run()
    assert mark.exists(), "what cannot start must cost no data"
    async with running(plan, project, Options(fresh=True)) as supervisor:
        assert await status(supervisor, "/tasks") == 200
    assert not mark.exists()
    assert (project / ".shoal/secrets/passwords.json").read_bytes() == password


async def test_a_killed_supervisor_leaves_nothing_and_the_next_one_simply_runs(project: Path) -> None:
    port = str(free_port())
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    argv = [sys.executable, "-m", "shoal.cli", "-C", str(project), "run", "--no-reload", "--port", port]
    first = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220, S603
    try:
        await eventually(lambda: (run := read_state(project)) and run.pid == first.pid and run.status == "ready")
    finally:
        first.kill()
        first.wait()
    run = read_state(project)
    assert run is not None
    plan = model.plan(read(Global(root=project, system="")), with_options(LOCAL, port=int(port)))
    async with running(plan, project) as supervisor:  # at once, while the guardian may still be at work
        assert await status(supervisor, "/tasks") == 200
        assert living(run) == []
    await eventually(lambda: not _sockets_of(supervisor))


def _sockets_of(supervisor: Supervisor) -> list[str]:
    """List who still listens on the sockets of a run (only Linux tells)."""
    table = Path("/proc/net/unix")
    runtime = re.escape(supervisor.state.runtime or "/nowhere")
    return re.findall(rf"{runtime}/\S+", table.read_text()) if table.exists() else []


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
