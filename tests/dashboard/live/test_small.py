"""A small system of its own: its store is emptied, its code changes, and it is looked at after it has stopped."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shoal import files
from shoal.cli.commands.new import artifacts
from shoal.dashboard.server.app import Dashboard
from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.gate import Gate
from shoal.dashboard.store import runs
from shoal.dashboard.store.library import Library
from shoal.errors import HostError
from shoal.runtime.asgi import request
from shoal.testing import LiveSystem
from shoal.testing.live import send, start_live
from tests.dashboard.live.acting import Pages

pytestmark = pytest.mark.live

SYSTEM = "hamlet.system:system"
HOST = {"host": "127.0.0.1:4300"}
LATER = '''

@tasks.get("/later", access=anyone)
async def later() -> list[str]:
    """Nothing yet."""
    return []
'''


@pytest.fixture(scope="module")
def demo() -> Iterator[LiveSystem]:
    """Run what `shoal new` makes."""
    with tempfile.TemporaryDirectory(prefix="sh-") as folder:
        files.write(Path(folder), artifacts("hamlet"))
        try:
            running = start_live(Path(folder), SYSTEM, Path(folder))
        except HostError as error:
            pytest.skip(f"the real engines cannot run here: {error.message}")
        yield running
        running.stop()


async def test_a_store_is_emptied_and_its_service_begins_anew_with_the_present_code(demo: LiveSystem) -> None:
    pages = Pages(demo)
    task = (await demo.post("/tasks", json={"title": "Buy milk", "owner": "ada"})).json()
    await demo.post(f"/tasks/{task['task_id']}/finish", json={})
    heard = "tasks.finished.v1→scores"
    await pages.until("/api/map?last=60", lambda told: [e for e in told["edges"] if e["id"] == heard and e["count"]])
    assert "/later" not in {o["path"] for o in (await pages.get("/api/explorer"))["items"]}
    service = demo.root / "hamlet" / "tasks" / "service.py"
    service.write_text(service.read_text("utf-8") + LATER, "utf-8")
    await pages.post("/api/data/tasks/reset", {"confirm": "no"}, status=409)
    assert (await demo.get("/tasks")).json()["pagination"]["total"] == 1
    done = await pages.post("/api/data/tasks/reset", {"confirm": "tasks"})
    assert done["seconds"] > 0
    assert (await demo.get("/tasks")).json()["pagination"]["total"] == 0
    assert [m["number"] for m in (await pages.get("/api/data/tasks"))["migrations"]] == [1]
    await pages.until("/api/explorer", lambda told: "/later" in {o["path"] for o in told["items"]})


async def test_a_second_version_is_weighed_and_taken_away(demo: LiveSystem) -> None:
    pages = Pages(demo)
    started = demo.run("canary", "start", "scores", "--code", str(demo.root), "--weight", "10", "--keep")
    assert started.returncode == 0, started.stderr
    assert (await pages.post("/api/gateway/canary", {"do": "weigh", "service": "scores", "weight": 40}))["weight"] == 40
    (shown,) = (await pages.get("/api/gateway"))["canaries"]
    assert (shown["service"], shown["stage"], shown["weight"]) == ("scores", "running", 40)
    replicas = {r["name"]: r["version"] for r in (await pages.get("/api/services/scores"))["replicas"]}
    assert set(replicas.values()) == {"", "canary"}
    processes = {r["process"]["name"]: r["version"] for r in (await pages.get("/api/resources"))["items"]}
    assert processes["scores-canary-0"] == "canary"
    assert processes["scores-0"] != "canary"
    told = (await pages.get("/api/services/scores"))["versions"]
    assert [(one["name"], one["replicas"]) for one in told] == [("", 1), ("canary", 1)]
    await pages.post("/api/gateway/canary", {"do": "abort", "service": "scores"})
    assert [c["stage"] for c in (await pages.get("/api/gateway"))["canaries"]] == ["aborted"]


async def test_a_system_that_has_stopped_shows_its_history_and_says_so(demo: LiveSystem) -> None:
    demo.stop()
    gate = Gate("token")
    headers = {**HOST, "cookie": gate.cookie(HOST).partition(";")[0], "x-shoal-token": gate.action}
    library = Library(runs.folder_of(demo.root))
    pages = Dashboard(Desk(root=demo.root, library=library, system=SYSTEM), "token")

    async def ask(method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        status, _, text = await request(pages, method, path, headers, body)
        return status, text.decode()

    status, text = await ask("GET", "/api/map")
    assert status == 200
    assert '"live":false' in text
    assert '"standing":"active"' in text
    topics = ("events", "letters", "sagas", "explorer", "data/tasks", "gateway", "mail", "services/tasks")
    for path in (f"/api/{topic}" for topic in topics):
        status, text = await ask("GET", path)
        assert (status, '"live":false' in text) == (200, True), (path, text)
    status, text = await ask("POST", "/api/gateway/fault", b'{"edge":"gateway:tasks","abort":503}')
    assert (status, "shoal run" in text) == (503, True)
    library.close()


def test_a_run_is_compared_with_what_is_declared_now(demo: LiveSystem) -> None:
    demo.stop()
    checked = demo.run("check", "--observed", "-f", "json", "--fail-on", "error")
    assert checked.returncode == 0, checked.stdout
    allowed = demo.run("check", "--observed", "--policy")
    assert "-allow scores to hear" not in allowed.stdout
    service = demo.root / "hamlet" / "scores" / "service.py"
    before = service.read_text("utf-8")
    service.write_text(before.replace("@scores.on(TaskFinished)\n", ""), "utf-8")
    try:
        checked = demo.run("check", "--observed", "-f", "concise", "--only", "SH407")
    finally:
        service.write_text(before, "utf-8")
    assert checked.returncode == 1
    assert "scores hears tasks.finished.v1, and does not subscribe to it" in checked.stdout
    assert checked.stdout.startswith("hamlet/scores/service.py:8")


def test_what_was_recorded_opens_when_nothing_runs(demo: LiveSystem) -> None:
    demo.stop()
    command = [sys.executable, "-m", "shoal.cli", "-C", str(demo.root), "--system", SYSTEM, "open", "runs"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "BROWSER": "true"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as showing:  # noqa: S603 - our own
        assert showing.stdout is not None
        link = urlsplit(showing.stdout.readline().strip())
        base = f"{link.scheme}://{link.netloc}"
        entered = send(base, "GET", f"{link.path}?{link.query}", {}, b"")
        assert (entered.status, entered.headers["location"]) == (303, "/runs")
        cookie = {"cookie": entered.headers["set-cookie"].partition(";")[0]}
        (run,) = send(base, "GET", "/api/runs", cookie, b"").json()["items"]
        assert (run["system"], run["live"]) == ("hamlet", False)
        showing.send_signal(signal.SIGINT)
        assert showing.wait(20) == 0
