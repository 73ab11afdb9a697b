"""The first ten minutes of a user, in commands: new, run, ps, call, logs, stop."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shoal.local.ports import free_port, listener
from shoal.local.state import read_state
from shoal.operating.running import alive

pytestmark = pytest.mark.live
PATIENCE = 60
NO_ENGINES = 3


class Terminal:
    """Runs `shoal` in a project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "shoal.cli", "-C", str(self.root), *arguments]

    def __call__(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        done = subprocess.run(  # noqa: S603
            self.argv(*arguments), env=self.environ, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode == NO_ENGINES and "shoal[local]" in done.stderr:
            pytest.skip(done.stderr)
        assert done.returncode == code, done.stderr
        return done.stdout, done.stderr


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sh-") as folder:
        Terminal(Path(folder))("new", "demo")
        yield Path(folder) / "demo"


@pytest.fixture
def shoal(project: Path) -> Iterator[Terminal]:
    terminal = Terminal(project)
    yield terminal
    terminal("stop")


def test_from_nothing_to_an_event_counted(shoal: Terminal) -> None:
    port = str(free_port())
    _, said = shoal("run", "--detach", "--wait", "--port", port)
    assert "6 of 6 ready" in said
    assert "Dashboard  http://127.0.0.1:" in said
    assert f"http://127.0.0.1:{port}" in said

    out, _ = shoal("ps", "-o", "json")
    run = json.loads(out)
    assert {p["status"] for p in run["processes"]} == {"ready"}
    table, _ = shoal("ps")
    assert all(p["name"] in table for p in run["processes"])

    out, said = shoal("call", "tasks.add", "title=Buy milk", "owner=ada")
    assert "201 Created" in said
    task = json.loads(out)
    trace = said.partition("x-trace-id: ")[2].strip()
    until = time.monotonic() + PATIENCE
    while trace not in shoal("traces", "--service", "tasks", "-o", "json")[0]:  # spans are sent together
        assert time.monotonic() < until
    assert "● tasks" in shoal("traces", trace)[0]
    assert shoal("open", "traces", "--print")[0].startswith("http://127.0.0.1:")
    shoal("call", "tasks.finish", f"task_id={task['task_id']}")
    out, said = shoal("call", "tasks.add", "title=", "owner=ada", code=1)
    assert "422" in said
    assert json.loads(out)["status"] == 422

    _, refused = shoal("run", code=3)
    assert "already running" in refused
    _, refused = shoal("logs", "taks", code=3)
    assert "there are logs of: " in refused

    _, said = shoal("stop")
    assert said == "demo has stopped\n"
    lines, _ = shoal("logs", "tasks", "--trace", trace, "-o", "json")
    assert {json.loads(line)["trace_id"] for line in lines.splitlines()} == {trace}
    assert "tasks-0" in shoal("logs", "tasks")[0]


def test_ctrl_c_stops_in_order(shoal: Terminal) -> None:
    argv = shoal.argv("run", "--port", str(free_port()))
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=shoal.environ, stdout=pipe, stderr=pipe, text=True) as running:  # noqa: S603
        assert running.stderr is not None
        for line in running.stderr:
            if "ready in" in line:
                break
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "stopping" in said
    assert "Traceback" not in said
    state = read_state(shoal.root)
    assert state is not None
    assert (state.status, alive(state)) == ("stopped", False)


def test_a_service_that_cannot_start_fails_the_waiting_command(shoal: Terminal) -> None:
    file = shoal.root / "demo/scores/service.py"
    text = file.read_text()
    file.write_text(text.replace("finished: int = 0", "finished: int = 0\n    lost: int = 0"))
    try:
        _, said = shoal("run", "--detach", "--wait", "--port", str(free_port()), code=1)
    finally:
        file.write_text(text)
    assert "error: scores-0 exited with code 1" in said
    assert "Traceback" not in said


def test_what_cannot_begin_in_the_background_fails_with_the_right_hint(shoal: Terminal) -> None:
    port = str(free_port())
    shoal("run", "--detach", "--port", port)
    with tempfile.TemporaryDirectory(prefix="sh-") as folder:
        Terminal(Path(folder))("new", "other")
        other = Terminal(Path(folder) / "other")
        shoal_answers(port)
        _, refused = other("run", "--detach", "--port", port, code=NO_ENGINES)
        assert f"port {port} is already in use by envoy" in refused
        assert f"shoal -C {shoal.root.resolve()} stop" in refused
        assert "kill" not in refused
        other("ps", code=NO_ENGINES)


def test_the_logs_of_one_process_are_found_by_service(shoal: Terminal) -> None:
    service = shoal.root / "demo/tasks/service.py"
    said = '    import logging\n\n    logging.getLogger("mine").warning("noted")\n    tx.insert(task)\n'
    service.write_text(service.read_text().replace("    tx.insert(task)\n", said))
    shoal("run", "--detach", "--wait", "--one-process", "--no-telemetry", "--port", str(free_port()))
    assert "without a dashboard" in shoal("open", code=NO_ENGINES)[1]
    shoal("call", "tasks.add", "title=Buy milk", "owner=ada")
    until, found = time.monotonic() + PATIENCE, list[dict[str, str]]()
    while not {"POST /tasks 201", "noted"} <= {line["message"] for line in found}:  # lines are written together
        assert time.monotonic() < until, found
        out, _ = shoal("logs", "tasks", "-o", "json")
        found = [json.loads(line) for line in out.splitlines()]
    assert {line["service"] for line in found} == {"tasks"}
    shoal("logs", "taks", code=NO_ENGINES)
    out, _ = shoal("logs", "supervisor")
    assert "ready in" in out


def shoal_answers(port: str) -> None:
    """Wait until somebody listens."""
    until = time.monotonic() + PATIENCE
    while listener(int(port)) is None:
        assert time.monotonic() < until
        time.sleep(0.05)
